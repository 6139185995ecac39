//! Listings in XML: what `ListObjectsV2` of S3 and the listing of Google Cloud Storage have in common.

use std::fmt::Write;

use crate::errors::xml_escaped;
use crate::objects::{ObjectInfo, Objects};
use crate::route::Listing;
use crate::sign::{encode, iso_8601};

pub(super) fn list(objects: &Objects, listing: &Listing) -> String {
    let Listing { bucket, prefix, after, most, encode } = listing;
    // One more than is told, to see whether there are more. Who asks for none could not go on from anywhere.
    let mut found = objects.list(bucket, prefix, after, most + 1);
    let truncated = *most > 0 && found.len() > *most;
    found.truncate(*most);
    xml(bucket, prefix, *most, *encode, &found, truncated)
}

fn xml(bucket: &str, prefix: &str, most: usize, encoded: bool, found: &[ObjectInfo], truncated: bool) -> String {
    let name = |key: &str| if encoded { encode(key.as_bytes()).into_owned() } else { xml_escaped(key) };
    let mut xml = format!(
        "<?xml version='1.0' encoding='UTF-8'?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Name>{bucket}</Name><Prefix>{}</Prefix><KeyCount>{}</KeyCount><MaxKeys>{most}</MaxKeys>\
         <IsTruncated>{truncated}</IsTruncated>",
        name(prefix),
        found.len(),
    );
    if encoded {
        xml.push_str("<EncodingType>url</EncodingType>");
    }
    if let Some(last) = found.last().filter(|_| truncated) {
        // The token is the last name: opaque to the client, and it needs no memory here. Encoded, because XML has not all
        // letters.
        let _ = write!(xml, "<NextContinuationToken>{}</NextContinuationToken>", encode(last.key.as_bytes()));
        let _ = write!(xml, "<NextMarker>{}</NextMarker>", name(&last.key));
    }
    for info in found {
        let (key, etag) = (name(&info.key), xml_escaped(&info.etag()));
        let (modified, size) = (iso_8601(info.stored_at), info.size);
        let _ = write!(
            xml,
            "<Contents><Key>{key}</Key><LastModified>{modified}</LastModified><ETag>{etag}</ETag><Size>{size}</Size>\
             <StorageClass>STANDARD</StorageClass></Contents>"
        );
    }
    xml.push_str("</ListBucketResult>");
    xml
}

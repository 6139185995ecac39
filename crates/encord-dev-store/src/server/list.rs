//! Listings in XML: the part that `ListObjectsV2` of S3 and the listing of Google Cloud Storage have in common.

use std::fmt::Write;

use crate::errors::xml_escaped;
use crate::objects::{ObjectInfo, Objects};
use crate::route::Listing;
use crate::sign::{encode, iso_8601};

pub(super) fn list(objects: &Objects, listing: &Listing) -> String {
    let Listing { bucket, prefix, after, max_keys, encode } = listing;
    // Finds one object more than the page holds, to see whether there are more. A page of 0 objects is never truncated, because
    // it has no last name to go on from.
    let mut found = objects.list(bucket, prefix, after, max_keys + 1);
    let truncated = *max_keys > 0 && found.len() > *max_keys;
    found.truncate(*max_keys);
    xml(bucket, prefix, *max_keys, *encode, &found, truncated)
}

fn xml(bucket: &str, prefix: &str, max_keys: usize, encoded: bool, found: &[ObjectInfo], truncated: bool) -> String {
    let name = |key: &str| if encoded { encode(key.as_bytes()).into_owned() } else { xml_escaped(key) };
    let mut xml = format!(
        "<?xml version='1.0' encoding='UTF-8'?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Name>{bucket}</Name><Prefix>{}</Prefix><KeyCount>{}</KeyCount><MaxKeys>{max_keys}</MaxKeys>\
         <IsTruncated>{truncated}</IsTruncated>",
        name(prefix),
        found.len(),
    );
    if encoded {
        xml.push_str("<EncodingType>url</EncodingType>");
    }
    if let Some(last) = found.last().filter(|_| truncated) {
        // The token is the last name, so the store remembers nothing. It is encoded, because XML cannot contain all characters.
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

//! Signs URLs, with the signer of the development store.

use std::time::{Duration, UNIX_EPOCH};

use encord_dev_store::sign::{MAX_EXPIRES, Presign};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::page::whole;
use super::{Answer, Api, Call};
use crate::problem::{Kind, Problem};
use crate::state::{ItemType, Placeholder};

/// The header that an upload must send under the switch `upload-headers`.
const UPLOAD_HEADER: &str = "x-goog-meta-upload";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sign {
    #[serde(alias = "item_type")]
    item_type: ItemType,
    count: usize,
}

impl Api<'_> {
    pub(super) fn sign_upload_urls(&mut self, call: &Call) -> Answer {
        let folder = call.id(0)?;
        self.folder(folder)?;
        let Sign { item_type, count } = call.read()?;
        self.sign(item_type, count, Some(folder))
    }

    pub(super) fn sign_presigned_urls(&mut self, call: &Call) -> Answer {
        let count = call.query.number("count")?.and_then(|count| usize::try_from(count).ok()).unwrap_or(1);
        let name = call.query.text("uploadItemType").unwrap_or_default();
        let item_type = name.parse().map_err(|_| Problem::new(Kind::Shape, "uploadItemType: not an item type"))?;
        self.sign(item_type, count, None)
    }

    fn sign(&mut self, item_type: ItemType, count: usize, folder: Option<Uuid>) -> Answer {
        let limit = self.switches.sign_limit;
        if !(1..=limit).contains(&count) {
            return Err(Problem::invalid(format!("count must be from 1 to {limit}")));
        }
        let mut results = Vec::new();
        for _ in 0..count {
            let (placeholder, key) = self.placeholder(item_type, folder);
            let headers = if self.switches.upload_headers { Some(placeholder.to_string()) } else { None };
            let signed_url = self.sign_put(&key, headers.as_deref())?;
            let headers = headers.map_or_else(|| json!({}), |value| json!({ UPLOAD_HEADER: value }));
            results.push(json!({
                "itemUuid": placeholder,
                "objectKey": key,
                "signedUrl": signed_url,
                "uploadHeaders": headers,
            }));
        }
        Ok(whole(&results))
    }

    /// Adds a placeholder, and returns its id and the name of its object.
    pub(super) fn placeholder(&mut self, item_type: ItemType, folder: Option<Uuid>) -> (Uuid, String) {
        let uuid = Uuid::new_v4();
        let key = format!("uploads/{uuid}");
        let created_at = self.now;
        self.state.placeholders.put(Placeholder { uuid, key: key.clone(), item_type, folder, item: None, created_at });
        (uuid, key)
    }

    /// Signs a URL for the upload of an object. If `header` has a value, the upload must send that header.
    pub(super) fn sign_put(&self, key: &str, header: Option<&str>) -> Result<String, Problem> {
        let mut headers = HeaderMap::new();
        if let Some(value) = header.and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(HeaderName::from_static(UPLOAD_HEADER), value);
        }
        self.presign(Method::PUT, headers, key).ok_or_else(|| Problem::new(Kind::Internal, "the URL cannot be signed"))
    }

    /// Signs a URL for the download of an object. Returns `None` for an object in a cloud.
    pub(super) fn sign_get(&self, key: &str) -> Option<String> {
        if key.contains("://") { None } else { self.presign(Method::GET, HeaderMap::new(), key) }
    }

    fn presign(&self, method: Method, headers: HeaderMap, key: &str) -> Option<String> {
        let expires = self.switches.url_life.clamp(Duration::from_secs(1), MAX_EXPIRES);
        let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(self.now.0).ok()?);
        self.store.signer().presign(&Presign { method, url: &self.store.url(key), headers, expires, at }).ok()
    }
}

/// Writes a signed URL as the older protocol does.
pub(super) fn written_legacy(url: &str, placeholder: Uuid, title: &str, key: &str) -> Value {
    json!({ "signed_url": url, "data_hash": placeholder, "title": title, "file_link": key })
}

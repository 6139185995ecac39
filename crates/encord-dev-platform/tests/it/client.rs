//! A small client: a connection for each request, signed as the SDK signs it.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use encord_dev_platform::{Builder, DevPlatform, DevelopmentKey, Running, Switches, Uuid};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SEED: [u8; 32] = [7; 32];

/// A time that all tests share, unless they say otherwise.
pub(crate) const NOW: u64 = 1_714_564_800;

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) text: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        serde_json::from_str(&self.text).unwrap()
    }

    /// What is in the envelope of the older protocol.
    #[track_caller]
    pub(crate) fn response(&self) -> Value {
        let envelope = self.json();
        assert_eq!(envelope["status"], json!(200), "{envelope}");
        envelope["response"].clone()
    }
}

pub(crate) struct Client {
    addr: SocketAddr,
    key: SigningKey,
    pub(crate) created: u64,
}

/// A builder whose key is the client's, and whose clock stands still.
pub(crate) fn builder() -> Builder {
    let now = UNIX_EPOCH + Duration::from_secs(NOW);
    DevPlatform::builder().key(DevelopmentKey::from_seed(SEED)).clock(move || now)
}

pub(crate) async fn start(switches: Switches) -> (Running, Client) {
    let platform = builder().switches(switches).start().await.unwrap();
    let client = Client::new(&platform);
    (platform, client)
}

impl Client {
    pub(crate) fn new(platform: &Running) -> Self {
        Self::with_seed(platform, SEED)
    }

    pub(crate) fn with_seed(platform: &Running, seed: [u8; 32]) -> Self {
        Self { addr: platform.addr(), key: SigningKey::from_bytes(&seed), created: NOW }
    }

    fn id(&self) -> String {
        hex(self.key.verifying_key().as_bytes())
    }

    /// A request of the newer protocol.
    pub(crate) async fn send(&self, method: &str, path: &str, body: &str) -> io::Result<Answer> {
        let target = format!("/v2/public/{path}");
        let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)));
        let params = format!(
            "(\"@method\" \"@request-target\" \"content-digest\");created={};keyid=\"{}\";alg=\"ed25519\"",
            self.created,
            self.id(),
        );
        let base = format!(
            "\"@method\": {method}\n\"@request-target\": {target}\n\"content-digest\": {digest}\n\"@signature-params\": {params}"
        );
        let signature = STANDARD.encode(self.key.sign(base.as_bytes()).to_bytes());
        let headers = format!(
            "Content-Digest: {digest}\r\nSignature-Input: encord-sig={params}\r\nSignature: encord-sig=:{signature}:\r\n"
        );
        self.raw(method, &target, &headers, body).await
    }

    /// A request with these headers.
    pub(crate) async fn raw(&self, method: &str, target: &str, headers: &str, body: &str) -> io::Result<Answer> {
        let length = body.len();
        let request =
            format!("{method} {target} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
        exchange(self.addr, request.as_bytes()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "").await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &body.to_string()).await.unwrap()
    }

    /// A request of the older protocol.
    pub(crate) async fn older(
        &self,
        query: (&str, &str),
        resource: Option<Uuid>,
        uid: Value,
        payload: Value,
    ) -> Answer {
        let (query, method) = query;
        let body = json!({ "query_type": query, "query_method": method, "values": { "uid": uid, "payload": payload } });
        let body = body.to_string();
        let signature = hex(&self.key.sign(&Sha256::digest(&body)).to_bytes());
        let resource = resource.map_or_else(String::new, |uuid| format!("ResourceID: {uuid}\r\n"));
        let headers = format!("{resource}Authorization: {}:{signature}\r\n", self.id());
        self.raw("POST", "/public", &headers, &body).await.unwrap()
    }

    pub(crate) async fn folder(&self, name: &str) -> Uuid {
        let folder = self.post("storage/folders", &json!({ "name": name })).await.json();
        uuid(&folder["uuid"])
    }

    pub(crate) async fn dataset(&self, with_folder: bool) -> Uuid {
        let body = json!({ "title": "dataset", "createBackingFolder": with_folder, "legacyCall": false });
        uuid(&self.post("datasets", &body).await.json()["datasetUuid"])
    }

    pub(crate) async fn sign(&self, folder: Uuid, count: usize) -> Vec<Value> {
        let path = format!("storage/folders/{folder}/upload-signed-urls");
        let signed = self.post(&path, &json!({ "itemType": "image", "count": count })).await.json();
        signed["results"].as_array().unwrap().clone()
    }

    /// Signs and uploads; what was signed.
    pub(crate) async fn upload(&self, folder: Uuid, count: usize) -> Vec<Value> {
        let signed = self.sign(folder, count).await;
        for one in &signed {
            assert_eq!(put(one, "bytes").await.status, 200);
        }
        signed
    }

    /// Starts a job; its id.
    pub(crate) async fn start(&self, folder: Uuid, job: &Value) -> Uuid {
        let path = format!("storage/folders/{folder}/data-upload-jobs");
        uuid(&self.post(&path, job).await.json())
    }

    pub(crate) async fn poll(&self, folder: Uuid, job: Uuid) -> Value {
        self.get(&format!("storage/folders/{folder}/data-upload-jobs/{job}?timeoutSeconds=60")).await.json()
    }

    /// Uploads images and registers them; their ids, in the order of the names.
    pub(crate) async fn items(&self, folder: Uuid, count: usize) -> Vec<Uuid> {
        let signed = self.upload(folder, count).await;
        let job = self.start(folder, &job(&images(&signed), true)).await;
        let done = self.poll(folder, job).await;
        assert_eq!(done["unitsDoneCount"], json!(count), "{done}");
        done["itemsWithNames"].as_array().unwrap().iter().map(|item| uuid(&item["itemUuid"])).collect()
    }
}

/// Uploads to a signed URL.
pub(crate) async fn put(signed: &Value, body: &str) -> Answer {
    let url = signed["signedUrl"].as_str().unwrap();
    let (host, target) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let headers = signed["uploadHeaders"].as_object().unwrap().iter();
    let headers: Vec<_> = headers.map(|(name, value)| format!("{name}: {}\r\n", value.as_str().unwrap())).collect();
    let headers = headers.concat();
    let length = body.len();
    let request = format!("PUT /{target} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
    exchange(host.parse().unwrap(), request.as_bytes()).await.unwrap()
}

/// Downloads from a signed URL.
pub(crate) async fn get(url: &str) -> Answer {
    let (host, target) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let request = format!("GET /{target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    exchange(host.parse().unwrap(), request.as_bytes()).await.unwrap()
}

/// What registers what was signed, as images called `0.jpg` and so on.
pub(crate) fn images(signed: &[Value]) -> Value {
    let image = |(at, one): (usize, &Value)| {
        json!({
            "objectUrl": one["objectKey"],
            "title": format!("{at}.jpg"),
            "clientMetadata": {},
            "externalFileType": "IMAGE",
            "placeholderItemUuid": one["itemUuid"],
        })
    };
    json!({ "images": signed.iter().enumerate().map(image).collect::<Vec<_>>() })
}

pub(crate) fn job(data_items: &Value, ignore_errors: bool) -> Value {
    json!({ "dataItems": data_items, "ignoreErrors": ignore_errors })
}

#[track_caller]
pub(crate) fn uuid(value: &Value) -> Uuid {
    value.as_str().unwrap().parse().unwrap()
}

pub(crate) fn after(seconds: u64) -> impl Fn() -> SystemTime + Send + Sync + 'static {
    move || UNIX_EPOCH + Duration::from_secs(NOW + seconds)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// Sends bytes as they are, and reads one answer, whose length must be given.
async fn exchange(addr: SocketAddr, request: &[u8]) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(addr).await?;
    stream.write_all(request).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(Answer { status, head, text: String::from_utf8(body).unwrap() })
}

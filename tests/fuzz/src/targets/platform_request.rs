//! Requests to the emulator of the platform.

use std::time::{Duration, SystemTime};

use encord_dev_platform::{DevPlatform, NewProject, Running, Switches};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Every answer is JSON, and the emulator does not fail. A request without a token has no effect.
pub(super) fn check(mut data: &[u8]) {
    let [mode] = crate::take(&mut data);
    let is_signed = mode & 1 == 0;
    let is_older = mode & 2 != 0;
    let switches = if mode & 4 == 0 { Switches::default() } else { Switches::worst() };
    let text = String::from_utf8_lossy(data);
    let (line, body) = text.split_once('\n').unwrap_or((&text, ""));

    crate::scratch::block_on(async {
        let platform = DevPlatform::builder().switches(switches).clock(now).start().await.expect("it starts");
        let folder = platform.add_folder("folder").expect("added");
        platform.add_items(folder, 3).expect("added");
        let item = platform.items(folder)[0].uuid;
        let dataset = platform.add_dataset("dataset", &[item]).expect("added");
        let project = NewProject { datasets: vec![dataset], ..NewProject::demo() };
        let project = platform.add_project(project).expect("added");
        // Lets inputs name existing folders and items.
        let named = |text: &str| {
            let ids = [("$F", folder), ("$I", item), ("$D", dataset), ("$P", project)];
            ids.iter().fold(text.to_owned(), |text, (name, id)| text.replace(name, &id.to_string()))
        };
        let (line, body) = (named(line), named(body));
        let known = |part: &str| part.bytes().all(|byte| byte.is_ascii_graphic());
        let (method, path) = line.trim().split_once(' ').unwrap_or((&line, ""));
        if !known(method) || !known(path) || method.is_empty() {
            return;
        }
        let authorization =
            if is_signed { format!("Authorization: Bearer {}\r\n", platform.token()) } else { String::new() };
        let (method, target) = if is_older {
            ("POST", "/public".to_owned())
        } else {
            (method, format!("/v2/public/{}", path.trim_start_matches('/')))
        };
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: h\r\nResourceID: {dataset}\r\n{authorization}Connection: close\r\nContent-Length: {}\r\n\r\n",
            body.len(),
        );
        let before = seen(&platform);
        let exchange = exchange(&platform, format!("{head}{body}"));
        let answer = tokio::time::timeout(Duration::from_secs(3600), exchange).await.expect("it ends");
        let answer = answer.expect("an answer");
        let (head, json) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status: u16 = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        assert!(status < 500, "{line}\n{body}\n{answer}");
        // hyper answers a request with an invalid head itself.
        assert!(json.is_empty() || serde_json::from_str::<Value>(json).is_ok(), "{answer}");
        assert!(!answer.contains(platform.token()) || path.contains("bearer-token"), "{answer}");
        assert!(is_signed || (status >= 400 && before == seen(&platform)), "{answer}");
    });
}

/// 2024-01-01T00:00:00Z.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_704_067_200)
}

fn seen(platform: &Running) -> (usize, usize) {
    (platform.folders().len(), platform.jobs().len())
}

async fn exchange(platform: &Running, request: String) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(platform.addr()).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

//! The page of `encord report --html`, in a real browser.

use std::fs;
use std::path::Path;
use std::process::Command;

use encord_test_server::{Server, status};
use serde_json::{Value, json};

use crate::peers;
use crate::support::encord::{self, Item, upload};

/// Measures the page from inside. It stands in the test's copy alone: the page has no script.
const MEASURE: &str = "<script>
const width = selector => [...document.querySelectorAll(selector)].map(one => one.getBoundingClientRect()).filter(box => box.height > 0).map(box => Math.round(box.width));
const style = selector => getComputedStyle(document.querySelector(selector));
const measured = JSON.stringify({
    window: innerWidth, content: document.documentElement.scrollWidth,
    charts: width('svg polygon'), failures: width('.bar:not(.wait)'), retries: width('.bar.wait'),
    paper: style('body').backgroundColor, ink: style('svg text').fill,
    requests: performance.getEntriesByType('resource').map(entry => entry.name),
});
parent.document.body.append('measured' + measured + 'measured');
</script>";

#[test]
fn the_page_of_a_report_fits_a_phone_and_a_desk_in_light_and_dark() {
    let Some(chromium) = peers::program("chromium", "chromium") else { return };
    let server = Server::start(|request, before| match request.path() {
        "/0" => status(403),
        "/1" if before == 0 => status(503),
        _ => status(200),
    });
    let folder = tempfile::tempdir().unwrap();
    let items = (0..8).map(|index| {
        let path = folder.path().join(format!("{index}{}.jpg", "w".repeat(200)));
        fs::write(&path, vec![0; 100_000]).unwrap();
        Item { path, url: format!("http://{}/{index}", server.host()), data_type: "image" }
    });
    // The retry waits long enough for a chart of two points.
    let upload = upload(&items.collect::<Vec<_>>()).flags("--allow-failures --backoff-factor 0.3");
    assert_eq!(upload.run().code, Some(3));
    let page = folder.path().join("page.html");
    let mut report = Command::new(encord::binary());
    let report = output_of(report.arg("report").arg(upload.written("report.jsonl")).arg("--html").arg(&page));
    assert!(report.contains("7 uploaded, 1 failed"), "{report}");
    let page = fs::read_to_string(&page).unwrap() + MEASURE;

    for width in [390, 1200] {
        // As blink numbers them.
        for (scheme, paper, ink) in
            [(0, "rgb(13, 17, 23)", "rgb(230, 237, 243)"), (1, "rgb(255, 255, 255)", "rgb(27, 31, 36)")]
        {
            let measured = measure(&chromium, &page, width, scheme);
            assert_eq!((&measured["window"], &measured["content"]), (&json!(width), &json!(width)), "{measured}");
            assert_eq!((&measured["paper"], &measured["ink"]), (&json!(paper), &json!(ink)), "{measured}");
            assert_eq!(measured["requests"], json!([]), "{measured}");
            for drawn in ["charts", "failures", "retries"] {
                let widths = measured[drawn].as_array().unwrap();
                assert!(widths.len() == 1 && widths[0].as_u64() > Some(width / 3), "{drawn}: {measured}");
            }
        }
    }
}

#[track_caller]
fn output_of(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What the page says of itself in a window of this width.
#[track_caller]
fn measure(chromium: &Path, page: &str, width: u64, scheme: u8) -> Value {
    let folder = tempfile::tempdir().unwrap();
    // In a frame, because a window is never narrower than 500 pixels.
    let source = page.replace('&', "&amp;").replace('"', "&quot;");
    let frame = format!(
        "<meta name=\"color-scheme\" content=\"light dark\">\n\
         <iframe style=\"border: 0; width: {width}px; height: 800px\" srcdoc=\"{source}\"></iframe>"
    );
    fs::write(folder.path().join("frame.html"), frame).unwrap();
    let mut browser = Command::new(chromium);
    browser
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"])
        .args([
            "--no-first-run",
            "--disable-background-networking",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!("file://{}", folder.path().join("frame.html").display()));
    let dom = output_of(&mut browser);
    let (_, measured) = dom.rsplit_once("measured{").unwrap_or_else(|| panic!("not measured: {dom}"));
    let (measured, _) = measured.split_once("}measured").unwrap();
    serde_json::from_str(&format!("{{{measured}}}")).unwrap()
}

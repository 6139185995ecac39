//! Jobs: polls under paused time, and what becomes of polls that fail.

use std::time::Duration;

use encord_client::{ErrorKind, MAX_FAILED_POLLS, RequestsSettings};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::{Answer, Server, id};

fn state(status: &str) -> Value {
    json!({"status": status, "itemsWithNames": [], "errors": [], "unitsPendingCount": 1, "unitsDoneCount": 0,
        "unitsErrorCount": 0, "unitsCancelledCount": 0, "unitErrors": []})
}

fn once() -> RequestsSettings {
    RequestsSettings { max_retries: 0, connection_retries: 0, ..RequestsSettings::default() }
}

#[tokio::test(start_paused = true)]
async fn a_job_is_polled_once_a_second_until_it_has_ended() {
    let answers = [state("PENDING"), state("PENDING"), state("REFLECTING"), state("DONE")];
    let server = Server::script(answers.map(|answer| Answer::json(&answer))).await;
    let job = server.builder().settings(once()).build().unwrap().folder(id(1)).upload_job(id(5));
    let start = Instant::now();
    let done = job.until_done().await.unwrap();
    assert_eq!(done.status.as_str(), "DONE");
    assert_eq!(server.seen().len(), 4);
    assert!(start.elapsed() >= Duration::from_secs(3), "{:?}", start.elapsed());
    assert!(server.seen().iter().all(|seen| seen.target.ends_with("?timeoutSeconds=60")), "a third of 180 s");
}

#[tokio::test(start_paused = true)]
async fn a_hundred_jobs_make_at_most_one_request_a_second_each() {
    let server = Server::script([Answer::json(&state("PENDING"))]).await;
    let client = server.builder().settings(once()).build().unwrap();
    for _ in 0..100 {
        let job = client.folder(id(1)).upload_job(id(5));
        tokio::spawn(async move { job.until_done().await });
    }
    tokio::time::sleep(Duration::from_millis(10_500)).await;
    let polls = server.seen().len();
    assert!((100..=1_100).contains(&polls), "{polls} polls in 10.5 s");
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_fails_is_no_job_that_fails() {
    let server = Server::script([
        Answer::status(503, &""),
        Answer::HangUp,
        Answer::json(&"<html>"),
        Answer::status(429, &""),
        Answer::json(&state("DONE")),
    ])
    .await;
    let job = server.builder().settings(once()).build().unwrap().folder(id(1)).upload_job(id(5));
    assert_eq!(job.until_done().await.unwrap().status.as_str(), "DONE");
    assert_eq!(server.seen().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn polls_that_fail_again_and_again_end_the_wait() {
    let server = Server::script([Answer::status(503, &"")]).await;
    let job = server.builder().settings(once()).build().unwrap().folder(id(1)).upload_job(id(5));
    assert_eq!(job.until_done().await.unwrap_err().kind(), ErrorKind::Server);
    assert_eq!(server.seen().len(), MAX_FAILED_POLLS as usize);
}

#[tokio::test(start_paused = true)]
async fn c8_a_refusal_ends_the_wait_at_once() {
    let server = Server::script([Answer::status(403, &"")]).await;
    let job = server.builder().settings(once()).build().unwrap().folder(id(1)).upload_job(id(5));
    assert_eq!(job.until_done().await.unwrap_err().kind(), ErrorKind::Authorisation);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_ends_badly_is_an_answer() {
    for status in ["ERROR", "CANCELLED"] {
        let server = Server::script([Answer::json(&state(status))]).await;
        let job = server.client().folder(id(1)).upload_job(id(5));
        assert_eq!(job.until_done().await.unwrap().status.as_str(), status);
    }
}

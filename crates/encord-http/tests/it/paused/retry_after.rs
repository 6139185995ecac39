//! What is waited for when an answer says how long.

use std::time::SystemTime;

use super::*;

/// What comes of an answer with a `Retry-After`, under the default settings.
enum Then {
    Waits(f64),
    Stops(StopReason),
}

#[tokio::test(start_paused = true)]
async fn r6_retry_after_in_all_its_forms() {
    keep_pace();
    let in_a_minute = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(60));
    let too_long = |asked| StopReason::RetryAfterTooLong {
        asked: Duration::from_secs(asked),
        limit: encord_http_settings::RETRY_AFTER_LIMIT,
    };
    for code in [408, 413, 429, 500, 502, 503, 504] {
        // 413 is retryable only when it says when.
        let ignored = || if code == 413 { Then::Stops(StopReason::Final) } else { Then::Waits(1.5) };
        let cases = [
            ("7", Then::Waits(7.0)),
            ("120", Then::Waits(120.0)),
            // The schedule's wait is longer.
            ("0", Then::Waits(1.5)),
            ("1", Then::Waits(1.5)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Then::Waits(1.5)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Then::Waits(1.5)),
            ("Sun Nov  6 08:49:37 1994", Then::Waits(1.5)),
            (&in_a_minute, Then::Waits(60.0)),
            ("121", Then::Stops(too_long(121))),
            ("99999999999999999999", Then::Stops(too_long(u64::MAX))),
            ("-1", ignored()),
            ("1.5", ignored()),
            ("soon", ignored()),
            ("", ignored()),
        ];
        for (value, then) in cases {
            let scripts = vec![answers(code, &format!("Retry-After: {value}\r\n")), answers(200, "")];
            let host = serve(scripts).await;
            let client = Client::new(RequestsSettings::default());
            let began = Instant::now();
            let result = client.send(&Request::get(format!("http://{host}/"))).await;
            match (result, then) {
                (Ok(response), Then::Waits(seconds)) => {
                    let waited = response.attempts()[1].waited.as_secs_f64();
                    // A date has no fractions of a second, and the real clock goes on.
                    let slack = if value == in_a_minute { 30.0 } else { 0.0 };
                    assert!((seconds - slack..=seconds).contains(&waited), "{code} {value:?}: {waited}");
                    check_elapsed(began, waited);
                }
                (Err(error), Then::Stops(reason)) => {
                    assert_eq!((error.stop_reason(), error.attempts().len()), (reason, 1), "{code} {value:?}");
                    let status = error.status().unwrap();
                    let expected = format!("GET {host}/ failed while waiting: {status} (1 attempt: {code}; {reason})");
                    assert_eq!(error.to_string(), expected);
                    check_elapsed(began, 0.0);
                }
                (result, _) => panic!("{code} {value:?}: {result:?}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn r5_r6_retry_after_makes_no_other_status_retryable() {
    keep_pace();
    for code in [400, 403, 404, 425, 501] {
        let host = serve(vec![answers(code, "Retry-After: 7\r\n")]).await;
        let client = Client::new(RequestsSettings::default());
        let error = client.send(&Request::get(format!("http://{host}/"))).await.unwrap_err();
        assert_eq!((error.stop_reason(), error.attempts().len()), (StopReason::Final, 1));
    }
}

//! The answers of the server, and its other reactions to a request.

use std::time::Duration;

/// The reaction of the server to a request.
#[derive(Debug, Clone)]
pub struct Reply {
    before: Vec<Step>,
    answer: Option<Answer>,
    then: Vec<Step>,
}

/// A part of a [`Reply`]. After the last step, the server reads the next request.
#[derive(Debug, Clone)]
pub enum Step {
    /// Reads this number of bytes of the payload.
    Read(usize),
    /// Reads the rest of the payload.
    ReadAll,
    /// Reads the rest of the payload in chunks, with a pause before each.
    ReadSlowly {
        /// The size of a chunk, in bytes.
        chunk: usize,
        /// The pause before each read.
        pause: Duration,
    },
    /// Writes these bytes.
    Write(Vec<u8>),
    /// Writes these bytes repeatedly, until the client closes the connection.
    WriteForever(Vec<u8>),
    /// Waits for this time.
    Pause(Duration),
    /// Stops reading and writing, and keeps the connection open.
    StopReading,
    /// Discards what the client sends, without an answer, until the client closes the connection.
    Silence,
    /// Closes the connection. The system sends a reset if there are unread bytes.
    Close,
    /// Resets the connection.
    Reset,
}

#[derive(Debug, Clone)]
struct Answer {
    status: u16,
    headers: String,
    body: Vec<u8>,
}

/// An answer with this status and without a body.
pub fn status(status: u16) -> Reply {
    Reply {
        before: vec![Step::ReadAll],
        answer: Some(Answer { status, headers: String::new(), body: Vec::new() }),
        then: Vec::new(),
    }
}

impl Reply {
    /// These steps and nothing else.
    pub fn steps(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { before: steps.into_iter().collect(), answer: None, then: Vec::new() }
    }

    /// Reads the request, and does not answer.
    pub fn silence() -> Self {
        Self::steps([Step::ReadAll, Step::Silence])
    }

    /// Reads the request, and resets the connection.
    pub fn reset() -> Self {
        Self::steps([Step::ReadAll, Step::Reset])
    }

    /// Reads the request, and closes the connection.
    pub fn close() -> Self {
        Self::steps([Step::ReadAll, Step::Close])
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Some(answer) = &mut self.answer {
            answer.headers.extend([name, ": ", value, "\r\n"]);
        }
        self
    }

    /// The body of the answer.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        if let Some(answer) = &mut self.answer {
            answer.body = body.into();
        }
        self
    }

    /// Waits for this time before the answer.
    #[must_use]
    pub fn after(mut self, pause: Duration) -> Self {
        self.before.push(Step::Pause(pause));
        self
    }

    /// Answers without reading the payload, and closes the connection.
    #[must_use]
    pub fn early(mut self) -> Self {
        self.before.retain(|step| !matches!(step, Step::ReadAll));
        self.then(Step::Close)
    }

    /// Does this after the answer.
    #[must_use]
    pub fn then(mut self, step: Step) -> Self {
        self.then.push(step);
        self
    }

    pub(crate) fn into_steps(self) -> impl Iterator<Item = Step> {
        let answer = self.answer.map(|Answer { status, headers, body }| {
            let head = format!("HTTP/1.1 {status} x\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
            Step::Write([head.as_bytes(), &body].concat())
        });
        self.before.into_iter().chain(answer).chain(self.then)
    }
}

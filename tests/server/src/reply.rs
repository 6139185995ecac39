//! Answers, and whatever else the server may do with a request.

use std::time::Duration;

/// What the server does with a request.
#[derive(Debug, Clone)]
pub struct Reply {
    before: Vec<Step>,
    answer: Option<Answer>,
    then: Vec<Step>,
}

/// A part of a [`Reply`]. When the steps are over, the next request is read.
#[derive(Debug, Clone)]
pub enum Step {
    /// Reads so many bytes of the payload.
    Read(usize),
    /// Reads the rest of the payload.
    ReadAll,
    /// Reads the rest of the payload, so many bytes at a time, with a pause before each.
    ReadSlowly {
        /// At most so many bytes at a time.
        chunk: usize,
        /// Before each read.
        pause: Duration,
    },
    /// Writes these bytes.
    Write(Vec<u8>),
    /// Writes these bytes again and again, until the client hangs up.
    WriteForever(Vec<u8>),
    /// Does nothing for so long.
    Pause(Duration),
    /// Reads and writes nothing any more.
    StopReading,
    /// Says nothing until the client hangs up.
    Silence,
    /// Closes the connection; a reset if there is something unread.
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

    /// Reads the request, and says nothing until the client hangs up.
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

    /// Waits for so long before the answer.
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

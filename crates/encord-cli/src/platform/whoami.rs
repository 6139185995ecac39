//! `encord whoami`.

use encord_client::Credentials;
use serde_json::json;

use super::connect::{failure, with_client};
use super::show;
use crate::args::platform::WhoamiArgs;
use crate::output::{Exit, Failure};

pub(crate) fn run(args: &WhoamiArgs) -> Result<Exit, Failure> {
    let as_json = args.platform.json;
    with_client(&args.platform, async |client| {
        // The platform has no call that returns the user. If it issues a token, it knows the key.
        client.get_bearer_token().await.map_err(failure)?;
        let key = match client.credentials() {
            Credentials::Key(key) => key.key_id().to_owned(),
            _ => String::new(),
        };
        let domain = client.domain().to_string();
        let record = json!({"domain": domain, "key_id": key, "authenticated": true});
        show::fields(&record, &[("domain", &domain), ("public key", &key), ("authenticated", &"yes")], as_json)
    })
}

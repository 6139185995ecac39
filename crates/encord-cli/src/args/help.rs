//! What `--help` says below the options.

pub(super) const EXAMPLES_AND_EXIT_CODES: &str = "\
Examples:
  encord demo
  encord upload --manifest items.jsonl --dry-run
  encord settings

Exit codes:
  0    all done
  1    failed: a batch was stopped by a failure
  2    wrong usage or input
  3    finished, but some items failed and that was allowed
  130  interrupted";

pub(super) const DEMO_EXAMPLES: &str = "\
Examples:
  encord demo
  encord demo --files 1000
  encord demo --keep demo && less demo/state/encord/*.jsonl

An emulator of the platform is started in this process, on free ports of this machine alone, and told to fail in every stage: \
when URLs are signed, files sent, jobs posted and asked about, items linked. `encord upload` is run against it, killed in the \
middle, and run again until everything is done. At the end the items and rows of the emulator are compared with the images. \
It exits with 0 when each image is one item and one row, else with 1.";

pub(super) const UPLOAD_EXAMPLES: &str = "\
Examples:
  encord upload --manifest items.jsonl
  encord upload --manifest items.jsonl --allow-failures --max-retries 5 --report report.jsonl
  encord upload --manifest items.jsonl --dry-run
  encord upload --manifest items.jsonl --journal done.jsonl        # again after a crash: only what is left
  encord upload --manifest items.jsonl --retry-from report.jsonl --report report.jsonl
  encord upload --manifest items.jsonl --shard $JOB_COMPLETION_INDEX/8
  make-manifest | encord upload --manifest - --json

The manifest is JSON Lines. Of an item only the first two keys are required:
  {\"path\": \"a.jpg\", \"signed_url\": \"https://…\", \"title\": \"a.jpg\", \"data_type\": \"image\",
   \"content_type\": null, \"headers\": {}}
Relative paths are relative to the current directory. \
`title` is the file name unless given, `data_type` is `image`, `content_type` is the one of the data type. \
`headers` are sent on top of the others. \
Empty lines are skipped. \
The whole manifest is checked before anything is sent: a line that is malformed stops the run. \
A URL that cannot be parsed and a file that cannot be read are failures of their item.

The report has a line for every item of the shard, also when the batch was stopped or interrupted. It is written when \
the run ends; until then the file is as it was:
  {\"index\": 0, \"path\": \"a.jpg\", \"title\": \"a.jpg\", \"status\": \"uploaded\", \"bytes\": 123,
   \"attempts\": [{\"outcome\": \"200\", \"phase\": \"done\", \"waited_s\": 0.0}], \"error\": null}
The status is one of uploaded, failed, cancelled, skipped: by the journal, or by --retry-from.

Ctrl-C aborts what is under way, writes journal and report, and exits with 130; a second one exits at once.

A dry run exits as the upload would: 0 when every URL can be parsed and every file be read, else 1, or 3 when failures \
are allowed. It says when the first URL expires, if that is within a day.

Environment:
  ENCORD_SETTINGS                                     the settings file
  ENCORD_MAX_RETRIES, ENCORD_BACKOFF_FACTOR,
  ENCORD_CONNECTION_RETRIES, ENCORD_CONNECT_TIMEOUT,
  ENCORD_READ_TIMEOUT, ENCORD_WRITE_TIMEOUT,
  ENCORD_ALLOW_FAILURES                               settings, over the file and below flags
  ENCORD_LOG                                          what is logged: warn (default), debug, …
  NO_COLOR                                            no colours";

pub(super) const SETTINGS_EXAMPLES: &str = "\
Examples:
  encord settings
  ENCORD_READ_TIMEOUT=unlimited encord settings --settings encord.toml --max-retries 5
  encord settings --json | jq .fields.max_retries.origin

The other flags of `encord upload` are taken too, and change nothing here.";

pub(super) const UIDS_EXAMPLES: &str = "\
Examples:
  encord uids models.json
  encord uids models.json --count
  list-models | encord uids --json";

pub(super) const DATA_TYPE_EXAMPLES: &str = "\
Examples:
  encord data-type
  encord data-type dicom_study
  encord data-type --upper DICOM_STUDY --json";

pub(super) const DEV_STORE_EXAMPLES: &str = "\
Examples:
  encord dev-store
  encord dev-store --port 0 --dir objects --faults 'a.jpg: 503 x2 retry-after=1; 10%: reset-during'
  encord dev-store --faults @plan.txt

The store is for development and tests: it listens on 127.0.0.1 alone, speaks plain HTTP, and its key is public unless you \
give one. Where it listens goes to standard output, a line for each request to standard error. Ctrl-C ends it, with exit \
code 0.

A plan is a list of rules `OBJECT: FAULT`, separated by `;` or line ends; the first that fits an upload decides.
  OBJECT  a name, with `*` for any characters; `30%` or `30% NAME` takes so many of them, the same in every run
  FAULT   503 (400 to 599), reject=413, reset-before, reset-during, reset-after, stall, silent, drip=SECONDS, corrupt, expire
          then, if wanted: x2 (so often for each object), retry-after=SECONDS

Environment:
  ENCORD_DEV_STORE_KEY, ENCORD_DEV_STORE_SECRET       the key, below --key";

pub(super) const SIGN_EXAMPLES: &str = "\
Examples:
  encord sign http://127.0.0.1:9000/dev/a.jpg
  encord sign --manifest http://127.0.0.1:9000/dev images/ > items.jsonl && encord upload --manifest items.jsonl
  encord sign --method GET --scheme s3 --expires 60 http://127.0.0.1:9000/dev/a.jpg

A signed URL is a credential until it expires, and this is the one command that shows it. \
In a manifest the name of an object is the path as given, without `.`, `..` and the root. \
Folders are taken with all that is in them, in the order of the names.

Environment:
  ENCORD_DEV_STORE_KEY, ENCORD_DEV_STORE_SECRET       the key, below --key; without either, that of the development store";

pub(super) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  encord completions bash > ~/.local/share/bash-completion/completions/encord
  encord completions fish > ~/.config/fish/completions/encord.fish";

pub(super) const MAN_EXAMPLES: &str = "\
Examples:
  encord man | man -l -
  encord man upload > ~/.local/share/man/man1/encord-upload.1";

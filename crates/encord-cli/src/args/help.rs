//! What `--help` says below the options.

pub(super) const EXAMPLES_AND_EXIT_CODES: &str = "\
Examples:
  encord demo
  encord upload --manifest items.jsonl --dry-run
  encord settings

Exit codes:
  0    all done
  1    failed: a failure stopped the run, or report or journal could not be written
  2    wrong usage or input
  3    finished, but some items failed and that was allowed
  130  interrupted";

pub(super) const DEMO_EXAMPLES: &str = "\
Examples:
  encord demo
  encord demo --files 1000
  encord demo --keep demo && less demo/state/encord/*.jsonl

An emulator of the platform is started in this process, on free ports of this machine, and told to fail in every stage: \
when URLs are signed, files sent, jobs posted and asked about, items linked. The demo runs `encord upload` against it, kills it \
in the middle, and runs it again until everything is done. At the end it compares items and rows with the images. \
The exit code is 0 if each image is one item and one row, else 1.";

pub(super) const UPLOAD_EXAMPLES: &str = "\
Examples:
  encord upload photos/ --folder photos --dataset cats
  encord upload --manifest items.jsonl --folder photos --dataset cats
  encord upload --manifest items.jsonl --allow-failures --max-retries 5 --report report.jsonl
  encord upload --manifest items.jsonl --dry-run
  encord upload --manifest items.jsonl                             # again after a crash: only what is left
  encord upload --manifest items.jsonl --retry-from report.jsonl --report report.jsonl
  encord upload --manifest items.jsonl --shard $JOB_COMPLETION_INDEX/8
  make-manifest | encord upload --manifest - --json

The manifest is JSON Lines, one item a line. Only `path` and `signed_url` are required, with --sign-with `path` alone:
  {\"path\": \"a.jpg\", \"signed_url\": \"https://…\", \"title\": \"a.jpg\", \"data_type\": \"image\",
   \"content_type\": null, \"headers\": {}}
Relative paths start at the current directory. \
By default `title` is the file name, `data_type` is `image`, and `content_type` follows from the data type. \
`headers` replace headers of the same name. \
With --folder the platform signs the URLs: `path` alone is required, `title` is by default the path (see --titles), the kind \
follows from `data_type`, else from the name or the content, and `signed_url`, `content_type` and `headers` must be left out. \
Empty lines are skipped. \
The whole manifest is checked before anything is sent: a malformed line stops the run. \
A URL that cannot be used, or a file that cannot be read, is the failure of its item; with --folder, a file that cannot be \
looked at stops the run before anything is sent, unless failures are allowed.

The report has a line for every item of the shard, also if the run was stopped or interrupted; with --folder not for those \
that --retry-from leaves out. It is written when the run ends; until then an earlier report stays as it is:
  {\"index\": 0, \"path\": \"a.jpg\", \"title\": \"a.jpg\", \"status\": \"uploaded\", \"bytes\": 123,
   \"attempts\": [{\"outcome\": \"200\", \"phase\": \"done\", \"waited_s\": 0.0}], \"error\": null,
   \"ended_at\": \"2026-11-26T00:00:00.000Z\", \"seconds\": 0.12}
The status is uploaded, failed, cancelled, or skipped: by the journal or by --retry-from. With --folder a line also has `kind`, \
`files`, `stage`, `item` and `retries`, and skipped is what the ledger or --existing knows.

Ctrl-C aborts running uploads, writes journal and report, and exits with 130. A second Ctrl-C exits immediately.

The exit code of a dry run is 0 if every URL and every file can be used, else 1, or 3 if failures are allowed. It warns of \
URLs that expire within a day. With --folder it asks nothing of the platform and does not read the ledger.

Environment:
  ENCORD_SETTINGS                                     the settings file
  ENCORD_MAX_RETRIES, ENCORD_BACKOFF_FACTOR,
  ENCORD_CONNECTION_RETRIES, ENCORD_CONNECT_TIMEOUT,
  ENCORD_READ_TIMEOUT, ENCORD_WRITE_TIMEOUT,
  ENCORD_ALLOW_FAILURES                               settings, over the file and below flags
  ENCORD_DOMAIN                                       with --folder, below --domain
  ENCORD_SSH_KEY_FILE, ENCORD_SSH_KEY                 with --folder, the private key: its file, or its text
  ENCORD_SSH_KEY_PASSWORD                             the password of the key
  ENCORD_LOG                                          what is logged: warn (default), debug, …
  NO_COLOR                                            no colours";

pub(super) const REPORT_EXAMPLES: &str = "\
Examples:
  encord report report.jsonl
  encord report report.jsonl --html report.html
  encord report report.jsonl --json | jq .failures

A report is what `encord upload --report FILE` writes. It may have any number of lines.";

pub(super) const SETTINGS_EXAMPLES: &str = "\
Examples:
  encord settings
  ENCORD_READ_TIMEOUT=unlimited encord settings --settings encord.toml --max-retries 5
  encord settings --json | jq .fields.max_retries.origin

All other flags of `encord upload` are accepted and have no effect. Without --settings and ENCORD_SETTINGS, the file \
encord/settings.toml in the configuration folder is read if it exists.";

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

The store is for development and tests. It listens on 127.0.0.1 only, speaks plain HTTP, and its key is public unless you \
set another. It prints its address on standard output and a line for each request on standard error. Ctrl-C ends it with \
exit code 0.

A plan is a list of rules `OBJECT: FAULT`, separated by `;` or line ends. The first rule that matches an upload decides.
  OBJECT  a name, with `*` for any characters; `30%` or `30% NAME` selects so many of them, the same in every run
  FAULT   503 (400 to 599), reject=413, reset-before, reset-during, reset-after, stall, silent, slow=SECONDS,
          drip=SECONDS, corrupt, expire
          then optionally: x2 (so many times for each object), retry-after=SECONDS

Environment:
  ENCORD_DEV_STORE_KEY, ENCORD_DEV_STORE_SECRET       the key, below --key";

pub(super) const DEV_PLATFORM_EXAMPLES: &str = "\
Examples:
  encord dev-platform
  encord dev-platform --dir platform --switches worst
  encord dev-platform --port 0 --faults 'start-job: reset-after x1; 10% get-job: 429' --store-faults '20%: 503'

The emulator is for development and tests: it listens on 127.0.0.1 alone, and speaks plain HTTP. Nobody who wrote it has \
seen the real server; it does what the SDKs of Encord accept. Two lines to give to a shell go to standard output, a line for \
each request to standard error. Ctrl-C ends it, with exit code 0.

A plan is a list of rules `OPERATION: FAULT`, separated by `;` or line ends; the first that fits a request decides.
  OPERATION  such as start-job, link-items, sign-upload-urls, with `*` for any characters; `10% get-job` takes so many of \
them; `unit/TITLE` is a unit of a job
  FAULT      503 (200 to 599), `503 after` when it is done, code=CODE, reset-before, reset-after, stall, silent, \
slow=SECONDS, garbage, empty, cut, shape; for a unit fail=TEXT
             then, if wanted: x2, retry-after=SECONDS, message=TEXT

Switches are positions such as second-job=error, separated by commas, after `default` or `worst`, which set all.";

pub(super) const SIGN_EXAMPLES: &str = "\
Examples:
  encord sign http://127.0.0.1:9000/dev/a.jpg
  encord sign --manifest http://127.0.0.1:9000/dev images/ > items.jsonl && encord upload --manifest items.jsonl
  encord sign --method GET --scheme s3 --expires 60 http://127.0.0.1:9000/dev/a.jpg

A signed URL is a credential until it expires. This is the only command that shows signed URLs. \
In a manifest the name of an object is the path as given, without `.`, `..` and the root. \
Folders are searched for files, in the order of their names. Links are followed. What is left out is named.

Environment:
  ENCORD_DEV_STORE_KEY, ENCORD_DEV_STORE_SECRET       the key, below --key; without either, that of the development store";

pub(super) const PLATFORM_EXAMPLES: &str = "\
Examples:
  encord whoami --domain us
  encord folders list
  encord folders create 2024 --parent photos
  encord folders show photos/2024 --items --json
  encord datasets create cats
  encord projects list --title 'Lesions%'
  encord models Lesions --uids

A folder is named by its uuid, its exact name or a path of names; datasets and projects by uuid or exact title. \
A name that more than one has is refused, with the uuids. \
Nobody who wrote this has an account: the requests are those of the Python SDK, the answers what it accepts.

Environment:
  ENCORD_DOMAIN                                       below --domain
  ENCORD_SSH_KEY_FILE, ENCORD_SSH_KEY                 the private key: its file, or its text
  ENCORD_SSH_KEY_PASSWORD                             the password of the key
  ENCORD_SETTINGS, ENCORD_MAX_RETRIES, ...            as for `encord settings`";

pub(super) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  encord completions bash > ~/.local/share/bash-completion/completions/encord
  encord completions fish > ~/.config/fish/completions/encord.fish";

pub(super) const MAN_EXAMPLES: &str = "\
Examples:
  encord man | man -l -
  encord man upload > ~/.local/share/man/man1/encord-upload.1";

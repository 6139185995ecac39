//! The Slurm array of docs/uploading.md under a real Slurm of one node, with one task that is killed and queued again.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::peers;
use crate::support::encord::binary;
use crate::support::ingest::{World, report};
use crate::support::until;

const SHARDS: usize = 4;
const FILES: usize = 200;

/// The task that is killed.
const KILLED: usize = 2;

/// Limits the start of the daemons.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// A cluster of this machine alone, on ports of loopback. It ends with all its jobs when it is dropped.
struct Cluster {
    folder: TempDir,
    daemons: Vec<Child>,
}

/// The programs, or nothing where one is missing.
#[track_caller]
fn programs() -> Option<[PathBuf; 3]> {
    peers::program("sbatch", "slurm-wlm")?;
    let [slurmctld, slurmd] = ["slurmctld", "slurmd"].map(|name| peers::program(name, "slurm-wlm"));
    Some([peers::program("munged", "munge")?, slurmctld?, slurmd?])
}

impl Cluster {
    #[track_caller]
    fn start(programs: &[PathBuf; 3]) -> Self {
        // Another program may be faster to take a port that was free.
        let mut failures = Vec::new();
        for _ in 0..5 {
            let mut cluster = Self { folder: tempfile::tempdir().unwrap(), daemons: Vec::new() };
            cluster.configure();
            cluster.spawn(programs);
            if cluster.becomes_ready() {
                return cluster;
            }
            failures.push(cluster.logs());
        }
        panic!("Slurm does not start\n{}", failures.join("\n"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configure(&self) {
        let folder = self.folder.path().display();
        let ports = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [control, node] = ports.map(|port| port.local_addr().unwrap().port());
        let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let host = name.trim().split('.').next().unwrap();
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        let user = String::from_utf8(user).unwrap();
        let user = user.trim();
        // A requeued task waits until its credentials have expired: two minutes, if nothing else is said.
        let text = format!(
            "ClusterName=test\n\
             SlurmctldHost={host}(127.0.0.1)\n\
             SlurmUser={user}\n\
             SlurmdUser={user}\n\
             SlurmctldPort={control}\n\
             SlurmdPort={node}\n\
             CommunicationParameters=NoCtldInAddrAny,NoInAddrAny\n\
             AuthType=auth/munge\n\
             AuthInfo=socket={folder}/munge.socket,cred_expire=5\n\
             StateSaveLocation={folder}/state\n\
             SlurmdSpoolDir={folder}/spool\n\
             SlurmctldPidFile={folder}/slurmctld.pid\n\
             SlurmdPidFile={folder}/slurmd.pid\n\
             PlugStackConfig=/dev/null\n\
             ProctrackType=proctrack/linuxproc\n\
             TaskPlugin=task/none\n\
             MpiDefault=none\n\
             SelectType=select/cons_tres\n\
             SelectTypeParameters=CR_CPU\n\
             SlurmdParameters=config_overrides\n\
             SchedulerParameters=sched_interval=1,bf_interval=1\n\
             KillWait=1\n\
             NodeName={host} NodeAddr=127.0.0.1 CPUs={SHARDS} RealMemory=1 State=UNKNOWN\n\
             PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
        );
        fs::write(self.path("slurm.conf"), text).unwrap();
        fs::write(self.path("key"), crate::support::noise(u64::from(control), 256)).unwrap();
        // munged takes no key that others can read.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(self.path("key"), mode).unwrap();
        fs::create_dir(self.path("state")).unwrap();
        fs::create_dir(self.path("spool")).unwrap();
    }

    fn spawn(&mut self, [munged, slurmctld, slurmd]: &[PathBuf; 3]) {
        let munge = "--foreground --force --num-threads=2 --socket=munge.socket --key-file=key --pid-file=munged.pid \
                     --log-file=munged.log --seed-file=seed";
        let munge = munge.split_whitespace().map(|word| match word.split_once('=') {
            Some((flag, file)) if file != "2" => format!("{flag}={}", self.path(file).display()),
            _ => word.to_owned(),
        });
        let commands = [
            (munged, munge.collect::<Vec<_>>()),
            (slurmctld, vec!["-D".to_owned(), "-i".to_owned()]),
            (slurmd, vec!["-D".to_owned()]),
        ];
        for (program, words) in commands {
            let log = fs::File::create(self.path(program.file_name().unwrap().to_str().unwrap())).unwrap();
            let mut command = Command::new(program);
            command.args(words).env("SLURM_CONF", self.path("slurm.conf")).current_dir(&self.folder);
            command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
            self.daemons.push(command.spawn().unwrap());
            // Both daemons of Slurm give up without it.
            let socket = self.path("munge.socket");
            until("munged makes its socket", || socket.exists(), || self.logs());
        }
    }

    /// False when one of them ended, because its port was taken, or when the time is over. Then the cluster is started again. So this
    /// does not use `until`, which would fail the test.
    fn becomes_ready(&mut self) -> bool {
        let deadline = Instant::now() + START_TIMEOUT;
        while Instant::now() < deadline && self.daemons.iter_mut().all(|daemon| daemon.try_wait().unwrap().is_none()) {
            if self.ask("sinfo -h -o %t").is_some_and(|state| state.trim() == "idle") {
                return true;
            }
            thread::sleep(Duration::from_millis(50));
        }
        false
    }

    fn run(&self, command: &mut Command) -> Output {
        command.env("SLURM_CONF", self.path("slurm.conf")).stdin(Stdio::null()).output().unwrap()
    }

    /// What a command of Slurm prints, if it does its work.
    fn ask(&self, words: &str) -> Option<String> {
        let mut words = words.split(' ');
        let output = self.run(Command::new(words.next()?).args(words));
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }

    fn logs(&self) -> String {
        let log = |name| fs::read_to_string(self.path(name)).unwrap_or_default();
        ["munged", "munged.log", "slurmctld", "slurmd"].map(log).join("\n")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for daemon in self.daemons.iter_mut().rev() {
            drop(daemon.kill());
            drop(daemon.wait());
        }
        // The steps of jobs are no children of ours. They know us by the configuration, which no other process has.
        let ours = format!("SLURM_CONF={}", self.path("slurm.conf").display());
        let is_ours = |process: &Path| {
            let environment = fs::read(process.join("environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == ours.as_bytes())
        };
        for process in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
            let number = process.file_name().to_str().and_then(|name| name.parse().ok());
            if let Some(pid) = number.and_then(Pid::from_raw).filter(|_| is_ours(&process.path())) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

/// The script of the documents, for these files and so many shards.
fn script(world: &World) -> String {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/uploading.md");
    let guide = fs::read_to_string(guide).unwrap();
    let mut scripts = guide.split("```sh\n").filter_map(|rest| rest.split("```").next());
    let mut script =
        scripts.find(|script| script.contains("#SBATCH") && script.contains("--folder")).unwrap().to_owned();
    for (there, here) in [
        ("--array=0-15", format!("--array=0-{}", SHARDS - 1)),
        ("$SLURM_ARRAY_TASK_ID/16", format!("$SLURM_ARRAY_TASK_ID/{SHARDS}")),
        ("/shared/photos", world.files().display().to_string()),
        ("/shared/", format!("{}/", world.home().display())),
        // The others are far from their end when one is killed.
        ("--allow-failures", "--allow-failures --concurrency 1".to_owned()),
    ] {
        assert!(script.contains(there), "{there}: {script}");
        script = script.replace(there, &here);
    }
    script
}

#[test]
fn a_slurm_array_with_a_task_that_is_killed_and_requeued_is_exact() {
    let Some(programs) = programs() else { return };
    let world = World::with(|builder| builder.store_faults("*: drip=0.005".parse().unwrap()));
    world.write_images(FILES);
    world.ends("--folder photos --dataset cats --include none.jpg", 0);
    let cluster = Cluster::start(&programs);
    fs::write(world.home().join("job.sh"), script(&world)).unwrap();

    let mut command = Command::new("sbatch");
    world.at_home(&mut command);
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{path}", binary().parent().unwrap().display()));
    command.args(["--parsable", "--output=task.%a", "job.sh"]);
    let submitted = cluster.run(&mut command);
    assert!(submitted.status.success(), "{}", String::from_utf8_lossy(&submitted.stderr));
    let job = String::from_utf8(submitted.stdout).unwrap().trim().to_owned();

    let home = world.home();
    let tell = || {
        let tasks = (0..SHARDS).map(|task| fs::read_to_string(home.join(format!("task.{task}"))).unwrap_or_default());
        let queue = cluster.ask("scontrol -o show job").unwrap_or_default();
        format!("{queue}\n{}\n{}", tasks.collect::<Vec<_>>().join("\n"), cluster.logs())
    };
    let ledger = home.join(format!("ledger.{KILLED}.jsonl"));
    let sent = || fs::read_to_string(&ledger).unwrap_or_default().matches("\"event\":\"sent\"").count();
    until("the task has sent some files", || sent() >= 5, tell);
    // From now on each file takes three seconds, so the task has many left when it is killed.
    world.platform.store().set_faults("*: drip=0.05".parse().unwrap());
    let task = format!("{job}_{KILLED}");
    assert!(cluster.ask(&format!("scontrol requeue {task}")).is_some(), "{}", tell());
    let state = || cluster.ask(&format!("squeue -h -r -j {task} -o %T")).unwrap_or_default();
    until("the task is queued again", || state().trim() == "PENDING", tell);
    let before = sent();
    assert!(before < FILES / SHARDS / 2, "{before} files were sent before the kill");
    world.platform.store().set_faults("".parse().unwrap());
    let is_over = || cluster.ask(&format!("squeue -h -j {job}")).is_some_and(|queue| queue.trim().is_empty());
    until("all tasks have ended", is_over, tell);

    let shown = cluster.ask(&format!("scontrol -o show job {job}")).unwrap();
    assert_eq!(shown.lines().count(), SHARDS, "{shown}");
    for line in shown.lines() {
        assert!(line.contains("JobState=COMPLETED") && line.contains("ExitCode=0:0"), "{line}\n{}", tell());
        let restarts = usize::from(line.contains(&format!("ArrayTaskId={KILLED} ")));
        assert!(line.contains(&format!("Restarts={restarts} ")), "{line}");
    }
    world.check_exact("photos", FILES);
    let lines: Vec<_> = (0..SHARDS).flat_map(|task| report(&home.join(format!("report.{task}.jsonl")))).collect();
    assert_eq!(lines.len(), FILES);
    assert!(lines.iter().all(|line| line["item"].is_string()), "{lines:?}");
    // Only what was under way when the task was killed is sent twice.
    let puts = world.platform.store().requests().len();
    assert!((FILES..=FILES + 1).contains(&puts), "{puts} files were sent");
}

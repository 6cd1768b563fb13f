//! remote: what qmail-remote needs for a message of 50 MiB, beside smtp-source of Postfix.
//!
//! Usage: `remote QMAIL-REMOTE…`: each sends to smtp-sink in turn with smtp-source, which sends as
//! much; then to a sink inside TLS. Times are medians, memory is the most of all rounds.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a table is what this is for")]

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::thread::{Builder, sleep};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use qmail_benches::Sample;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

const ROUNDS: usize = 9;
const SIZE: usize = 50 << 20;
const SINK: &str = "127.0.0.1:2598";

/// What one client needed.
#[derive(Clone, Debug, Default)]
struct Needs {
    wall: Sample,
    user: Sample,
    system: Sample,
    /// KiB.
    memory: u64,
}

fn main() -> ExitCode {
    let programs: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if programs.is_empty() {
        eprintln!("remote: usage: remote qmail-remote ...");
        return ExitCode::from(100);
    }
    match measure(&programs) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("remote: fatal: {error}");
            ExitCode::from(111)
        }
    }
}

fn measure(programs: &[PathBuf]) -> io::Result<()> {
    let home = tempfile::tempdir()?;
    make_tree(home.path())?;
    println!(
        "{:<30} {:>7} {:>8} {:>8} {:>7} {:>9} {:>9}",
        "50 MiB by", "wall s", "user s", "system s", "KiB", "wall rat.", "user rat."
    );
    let mut sink = start_sink()?;
    let source = source();
    let mut baseline = Needs::default();
    let mut plain = vec![Needs::default(); programs.len()];
    for _ in 0..ROUNDS {
        baseline.add(Command::new("smtp-source").args(&source).stdin(Stdio::null()))?;
        for (program, needs) in programs.iter().zip(&mut plain) {
            needs.add(&mut remote(program, home.path(), "plain")?)?;
        }
    }
    sink.kill()?;
    sink.wait()?;
    baseline.print("smtp-source", &baseline);
    for (program, needs) in programs.iter().zip(&plain) {
        needs.print(&program.display().to_string(), &baseline);
    }
    start_tls_sink(home.path())?;
    for program in programs {
        let mut needs = Needs::default();
        for _ in 0..ROUNDS {
            needs.add(&mut remote(program, home.path(), "tls")?)?;
        }
        needs.print(&format!("{} with TLS", program.display()), &baseline);
    }
    Ok(())
}

fn make_tree(home: &Path) -> io::Result<()> {
    std::fs::create_dir(home.join("control"))?;
    File::create(home.join("control/me"))?.write_all(b"bench.example\n")?;
    let line = [&[b'x'; 69][..], b"\n"].concat();
    let mut message = line.repeat(SIZE / line.len());
    message.truncate(SIZE - 1);
    message.push(b'\n');
    File::create(home.join("message"))?.write_all(&message)
}

/// smtp-sink wants to be somebody else than root.
fn start_sink() -> io::Result<Child> {
    let root = nix::unistd::geteuid().is_root();
    let user: &[&str] = if root { &["-u", "nobody"] } else { &[] };
    let child = Command::new("smtp-sink").args(user).args([SINK, "10"]).spawn()?;
    let started = Instant::now();
    while TcpStream::connect(SINK).is_err() {
        if started.elapsed() > Duration::from_secs(20) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        sleep(Duration::from_millis(10));
    }
    Ok(child)
}

fn source() -> Vec<String> {
    let length = SIZE.to_string();
    let words = ["-c", "-l", &length, "-f", "s@bench.example", "-t", "r@bench.example", SINK];
    words.map(str::to_owned).to_vec()
}

fn remote(program: &Path, home: &Path, to: &str) -> io::Result<Command> {
    let port = match to {
        "tls" => 2597,
        _ => 2598,
    };
    let route = format!(":[127.0.0.1]:{port}\n");
    File::create(home.join("control/smtproutes"))?.write_all(route.as_bytes())?;
    let mut command = Command::new(program);
    command.args(["bench.example", "s@bench.example", "r@bench.example"]).env("QMAILHOME", home);
    command.stdin(File::open(home.join("message"))?);
    Ok(command)
}

impl Needs {
    fn add(&mut self, command: &mut Command) -> io::Result<()> {
        let before = getrusage(UsageWho::RUSAGE_CHILDREN)?;
        let started = Instant::now();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let status = PathBuf::from(format!("/proc/{}/status", child.id()));
        // The mark only rises, so the last look at it is the one that counts.
        while child.try_wait()?.is_none() {
            self.memory = self.memory.max(peak(&status));
            sleep(Duration::from_millis(1));
        }
        self.wall.push(started.elapsed());
        let after = getrusage(UsageWho::RUSAGE_CHILDREN)?;
        self.user.push(duration(after.user_time()).saturating_sub(duration(before.user_time())));
        let system = duration(after.system_time()).saturating_sub(duration(before.system_time()));
        self.system.push(system);
        let mut report = Vec::new();
        child.stdout.take().map(|mut output| output.read_to_end(&mut report)).transpose()?;
        if report.starts_with(b"Z") || report.starts_with(b"D") {
            return Err(io::Error::other(String::from_utf8_lossy(&report).into_owned()));
        }
        Ok(())
    }

    fn print(&self, name: &str, baseline: &Self) {
        let seconds = |sample: &Sample| sample.median().as_secs_f64();
        println!(
            "{name:<30} {:>7.3} {:>8.3} {:>8.3} {:>7} {:>9.2} {:>9.2}",
            seconds(&self.wall),
            seconds(&self.user),
            seconds(&self.system),
            self.memory,
            seconds(&self.wall) / seconds(&baseline.wall),
            seconds(&self.user) / seconds(&baseline.user),
        );
    }
}

fn duration(time: nix::sys::time::TimeVal) -> Duration {
    let microseconds = time.tv_sec().saturating_mul(1_000_000).saturating_add(time.tv_usec());
    Duration::from_micros(u64::try_from(microseconds).unwrap_or(0))
}

/// The most memory that a process ever had, in KiB.
fn peak(status: &Path) -> u64 {
    let text = std::fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or(0)
}

/// Takes everything inside TLS.
fn start_tls_sink(home: &Path) -> io::Result<()> {
    let path = home.join("certificate");
    make_certificate(&path)?;
    let other = |error: rustls::pki_types::pem::Error| io::Error::other(error.to_string());
    let chain = CertificateDer::pem_file_iter(&path).map_err(other)?;
    let chain = chain.collect::<Result<_, _>>().map_err(other)?;
    let key = PrivateKeyDer::from_pem_file(&path).map_err(other)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(io::Error::other)?;
    let (listener, config) = (TcpListener::bind("127.0.0.1:2597")?, Arc::new(config));
    Builder::new().spawn(move || {
        for stream in listener.incoming().flatten() {
            if let Err(error) = serve(stream, &config) {
                eprintln!("remote: sink: {error}");
            }
        }
    })?;
    Ok(())
}

fn make_certificate(path: &Path) -> io::Result<()> {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-subj", "/CN=bench.example", "-addext", "subjectAltName=DNS:bench.example"])
        .arg("-keyout")
        .arg(path)
        .arg("-out")
        .arg(path.with_extension("public"))
        .stderr(Stdio::null())
        .status()?;
    if !made.success() {
        return Err(io::Error::other("openssl makes no certificate"));
    }
    let public = std::fs::read(path.with_extension("public"))?;
    std::fs::OpenOptions::new().append(true).open(path)?.write_all(&public)
}

fn serve(mut stream: TcpStream, config: &Arc<ServerConfig>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(b"220 sink\r\n")?;
    let mut lines = BufReader::new(stream.try_clone()?);
    for reply in ["250-sink\r\n250 STARTTLS\r\n", "220 go\r\n"] {
        lines.read_line(&mut String::new())?;
        stream.write_all(reply.as_bytes())?;
    }
    let connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    for reply in ["250 sink\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n"] {
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            line.extend(byte);
        }
        stream.write_all(reply.as_bytes())?;
    }
    let mut block = vec![0; 65536];
    let mut end = Vec::new();
    while !end.ends_with(b"\r\n.\r\n") {
        let length = stream.read(&mut block)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let read = block.get(..length).unwrap_or_default();
        end.extend_from_slice(read.get(length.saturating_sub(5)..).unwrap_or_default());
        end.drain(..end.len().saturating_sub(5));
    }
    stream.write_all(b"250 taken\r\n")?;
    let _ = stream.read(&mut block);
    Ok(())
}

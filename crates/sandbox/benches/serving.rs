//! What the sandbox costs: how fast it starts, how much memory it takes, how many calls it answers.
//!
//! `cargo bench -p straddle-sandbox`
//!
//! The server has one thread, and what that thread computed is what is counted; the clients are
//! on others. No figure is checked: what is aimed at is in `tests/README.md`.

#![expect(clippy::print_stdout, reason = "this is a program that tells figures")]
#![expect(clippy::unwrap_used, reason = "who measures wants to see where it breaks")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc;

use straddle_sandbox::{Sandbox, SandboxSettings, WorldSettings};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// How many connections ask at once.
const CLIENTS: usize = 4;
/// How many calls each of them makes.
const CALLS: u32 = 5_000;
/// How many groups an account may have in a region, but for the one of its VPC that is there by itself.
const GROUPS_OF_A_REGION: u32 = 2_000;
const REGIONS: [&str; 5] = ["us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1"];

fn main() {
    // Tests are run with this; there is nothing to test here.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.world");
    let server = Server::start(None);
    println!("start without a file        {:8.1} ms", server.started_in * 1000.0);
    println!("memory when idle            {:8.1} MB", resident() / 1e6);
    server.measure("DescribeVpcs, none there    ", |client, _| client.call("Action=DescribeVpcs"));
    let mut client = server.client("us-east-1");
    for _ in 0..5 {
        client.call("Action=CreateVpc&CidrBlock=10.0.0.0/16");
    }
    server.measure("DescribeVpcs, five there    ", |client, _| client.call("Action=DescribeVpcs"));
    server.measure("GetCallerIdentity           ", |client, _| client.ask("sts", "Action=GetCallerIdentity"));
    server.stop();
    many_groups(None, "in memory");
    let server = many_groups(Some(file.clone()), "each kept on the disk");
    println!("memory with 10,000 groups   {server:8.1} MB");
    let again = Server::start(Some(file));
    println!("start with 10,000 groups    {:8.1} ms", again.started_in * 1000.0);
    again.stop();
}

/// Makes and describes 10,000 groups; returns the memory that they take, in megabytes.
fn many_groups(file: Option<PathBuf>, name: &str) -> f64 {
    let server = Server::start(file);
    let begin = Instant::now();
    for region in REGIONS {
        let mut client = server.client(region);
        let made = client.call("Action=CreateVpc&CidrBlock=10.0.0.0/16");
        let vpc = between(&made, "<vpcId>", "</vpcId>").to_owned();
        for number in 0..GROUPS_OF_A_REGION {
            client.call(&format!(
                "Action=CreateSecurityGroup&VpcId={vpc}&GroupName=g{number}&GroupDescription=d"
            ));
        }
    }
    println!("10,000 groups, {name:<21} {:8.1} s", begin.elapsed().as_secs_f64());
    let (begin, mut pages, mut found) = (Instant::now(), 0, 0);
    for region in REGIONS {
        let (mut client, mut next) = (server.client(region), String::new());
        loop {
            let token = if next.is_empty() { String::new() } else { format!("&NextToken={next}") };
            let page = client.call(&format!("Action=DescribeSecurityGroups&MaxResults=1000{token}"));
            pages += 1;
            found += page.matches("<groupName>").count();
            if !page.contains("<nextToken>") {
                break;
            }
            between(&page, "<nextToken>", "</nextToken>").clone_into(&mut next);
        }
    }
    println!(
        "described in {pages} pages          {:8.3} s, {found} with those of the VPCs",
        begin.elapsed().as_secs_f64()
    );
    let memory = resident() / 1e6;
    server.stop();
    memory
}

/// A sandbox on a thread of its own.
struct Server {
    address: SocketAddr,
    /// Seconds.
    started_in: f64,
    stop: oneshot::Sender<()>,
    thread: std::thread::JoinHandle<()>,
    /// The thread's number in the system.
    number: String,
}

impl Server {
    fn start(file: Option<PathBuf>) -> Self {
        let begin = Instant::now();
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let management = "111111111111".parse().unwrap();
                let settings = SandboxSettings {
                    port: 0,
                    tls_port: 0,
                    plain_port: 0,
                    file,
                    region: "us-east-1".to_owned(),
                    faults: Vec::new(),
                    chaos: None,
                    world: WorldSettings::new(management),
                };
                let sandbox = Sandbox::open(settings).await.unwrap();
                let number = std::fs::read_link("/proc/thread-self").unwrap();
                let endpoint = sandbox.status().endpoint;
                tell.send((endpoint, number.file_name().unwrap().to_str().unwrap().to_owned())).unwrap();
                sandbox.serve(async { drop(stopped.await) }).await.unwrap();
            });
        });
        let (endpoint, number) = told.recv().unwrap();
        let address = endpoint.strip_prefix("http://").unwrap().parse().unwrap();
        Self { address, started_in: begin.elapsed().as_secs_f64(), stop, thread, number }
    }

    fn client(&self, region: &str) -> Client {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream: BufReader::new(stream), region: region.to_owned() }
    }

    /// Lets several clients make the same call, and tells what one call costs.
    fn measure(&self, name: &str, call: impl Fn(&mut Client, u32) -> String + Sync) {
        let (begin, busy) = (Instant::now(), self.busy());
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                let (mut client, call) = (self.client("us-east-1"), &call);
                scope.spawn(move || (0..CALLS).for_each(|number| drop(call(&mut client, number))));
            }
        });
        let calls = f64::from(CALLS) * f64::from(u32::try_from(CLIENTS).unwrap());
        let (wall, computed) = (begin.elapsed().as_secs_f64(), self.busy() - busy);
        println!("{name}{:8.0} a second of one core, {:.0} a second here", calls / computed, calls / wall);
    }

    /// Returns for how many seconds the thread has computed.
    fn busy(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/self/task/{}/schedstat", self.number)).unwrap();
        text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
    }

    fn stop(self) {
        drop(self.stop);
        self.thread.join().unwrap();
    }
}

/// A connection that is kept alive.
struct Client {
    stream: BufReader<TcpStream>,
    region: String,
}

impl Client {
    fn call(&mut self, form: &str) -> String {
        self.ask("ec2", &format!("{form}&Version=2016-11-15"))
    }

    fn ask(&mut self, service: &str, form: &str) -> String {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=test/20261123/{}/{service}/aws4_request, SignedHeaders=host, Signature=00",
            self.region
        );
        let request = format!(
            "POST / HTTP/1.1\r\nhost: sandbox\r\nauthorization: {authorization}\r\ncontent-type: \
             application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            form.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            if let Some(text) = line.strip_prefix("content-length: ") {
                length = text.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        let body = String::from_utf8(body).unwrap();
        assert!(!body.contains("<Error>"), "{form}: {body}");
        body
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap();
    rest.split_once(after).unwrap().0
}

/// Returns how many bytes of the process are in memory.
fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() * 1024.0
}

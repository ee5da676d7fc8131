//! A server of the tests' own in front of moto, which does what moto never does: pages, throttles, denies, hangs,
//! drops connections, cuts answers short, and changes what they say. It counts the calls it sees.
//!
//! It speaks HTTP/1.1 by hand, one request a connection, since half of what it does is wrong on purpose. It runs on a
//! thread of its own, so that tests of the command line can use it too.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what tests stand on fails by panicking, as they do"
)]

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
};

use super::fault_paging::{Paging, page_of, without_its_end};

/// What a rule does to the calls it matches.
#[derive(Clone)]
pub(crate) enum Fault {
    /// Answers with an error in the form of the service that was called.
    Error { status: u16, code: &'static str, message: &'static str },
    /// Answers with this body, as the real API did once: for what moto can't say.
    Answer(&'static str),
    /// Answers with what is made up for the action, the account (of the role, or whose access key is `ASIA` and its id),
    /// the region and the page: an AWS without moto.
    Make(Made),
    /// Answers with a status and a body that is no XML.
    Garbage { status: u16 },
    /// Never answers.
    Hang,
    /// Closes the connection without an answer.
    Drop,
    /// Leaves out the end of the answer, whose length it has announced (so HTTP is broken off).
    BreakOff,
    /// Leaves out the end of the answer, from between two items on, as if that were all of it.
    CutShort,
    /// Changes the text of the answer.
    Rewrite(Arc<dyn Fn(String) -> String + Send + Sync>),
    /// Hands the list out in pages.
    Pages(Paging),
    /// Answers as usual, or as the rules after it say, but later.
    Delay(Duration),
}

/// What makes an answer of an action, an account, a region and a page (the first is 1).
pub(crate) type Made = Arc<dyn Fn(&str, &str, &str, usize) -> String + Send + Sync>;

/// Which calls a fault is for. Several rules may match a call; the first that answers by itself wins, those that
/// change the answer are all applied.
#[derive(Clone)]
pub(crate) struct Rule {
    action: &'static str,
    account: Option<String>,
    region: Option<&'static str>,
    page: Option<usize>,
    after: usize,
    times: Option<usize>,
    filtered: Option<bool>,
    fault: Fault,
}

/// The filter that a call brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filtered {
    pub(crate) action: String,
    /// Its name, e.g. `vpc-id`.
    pub(crate) filter: String,
    pub(crate) values: Vec<String>,
}

impl Rule {
    /// Every call of an action, e.g. `DescribeVpcs`; of S3, whose calls have no names, `ListBuckets`, `HeadBucket` or
    /// what is asked of a bucket, e.g. `?lifecycle`; `*` is every call.
    pub(crate) fn on(action: &'static str, fault: Fault) -> Self {
        Self { action, account: None, region: None, page: None, after: 0, times: None, filtered: None, fault }
    }

    /// Only as this account, by the keys that the server has seen handed out; for `AssumeRole`, only into it.
    pub(crate) fn in_account(self, account_id: &str) -> Self {
        Self { account: Some(account_id.to_owned()), ..self }
    }

    /// Only in this region.
    pub(crate) fn in_region(self, region: &'static str) -> Self {
        Self { region: Some(region), ..self }
    }

    /// Only on this page, the first being 1.
    pub(crate) fn on_page(self, page: usize) -> Self {
        Self { page: Some(page), ..self }
    }

    /// Only on calls that bring a filter.
    pub(crate) fn on_filtered(self) -> Self {
        Self { filtered: Some(true), ..self }
    }

    /// Only on calls that ask for everything.
    pub(crate) fn on_unfiltered(self) -> Self {
        Self { filtered: Some(false), ..self }
    }

    /// Not on the first so many calls that match.
    pub(crate) fn after(self, after: usize) -> Self {
        Self { after, ..self }
    }

    /// Only the first so many calls that match (and are not let through).
    pub(crate) fn times(self, times: usize) -> Self {
        Self { times: Some(times), ..self }
    }
}

/// Denied, as EC2 says it.
pub(crate) fn denied() -> Fault {
    let message =
        "You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/secret-name";
    Fault::Error { status: 403, code: "UnauthorizedOperation", message }
}

/// Throttled, as EC2 says it.
pub(crate) fn throttled() -> Fault {
    Fault::Error { status: 503, code: "RequestLimitExceeded", message: "Request limit exceeded." }
}

/// The running server; it stops when this is dropped.
pub(crate) struct FaultServer {
    /// Where it listens.
    pub(crate) url: String,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    upstream: String,
    rules: Mutex<Vec<Rule>>,
    calls: Mutex<BTreeMap<(String, String), usize>>,
    filtered: Mutex<Vec<Filtered>>,
    /// What was asked for each time a role was taken on.
    roles: Mutex<Vec<BTreeMap<String, String>>>,
    /// Whose access keys are whose, as far as answers said so.
    keys: Mutex<BTreeMap<String, String>>,
    http: reqwest::Client,
}

impl FaultServer {
    /// Starts in front of `upstream` (moto's URL), with rules.
    pub(crate) fn start(upstream: &str, rules: impl IntoIterator<Item = Rule>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        listener.set_nonblocking(true).expect("a non-blocking listener");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            rules: Mutex::new(rules.into_iter().collect()),
            calls: Mutex::default(),
            filtered: Mutex::default(),
            roles: Mutex::default(),
            keys: Mutex::default(),
            http: reqwest::Client::builder().no_proxy().build().expect("an HTTP client"),
        });
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener");
                tokio::select! {
                    () = accept(listener, served) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { url, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// Replaces the rules.
    pub(crate) fn set_rules(&self, rules: impl IntoIterator<Item = Rule>) {
        *self.shared.rules.lock().expect("rules") = rules.into_iter().collect();
    }

    /// How often an action was called in a region.
    pub(crate) fn calls(&self, action: &str, region: &str) -> usize {
        let calls = self.shared.calls.lock().expect("calls");
        calls.get(&(action.to_owned(), region.to_owned())).copied().unwrap_or_default()
    }

    /// How often anything was called.
    pub(crate) fn all_calls(&self) -> usize {
        self.shared.calls.lock().expect("calls").values().sum()
    }

    /// The filters that calls brought, in the order of the calls.
    pub(crate) fn filtered(&self) -> Vec<Filtered> {
        self.shared.filtered.lock().expect("filters").clone()
    }

    /// The parameters of each `AssumeRole`, in the order of the calls.
    pub(crate) fn roles(&self) -> Vec<BTreeMap<String, String>> {
        self.shared.roles.lock().expect("roles").clone()
    }

    /// Every action that was called, with its region, sorted.
    pub(crate) fn called(&self) -> Vec<(String, String)> {
        self.shared.calls.lock().expect("calls").keys().cloned().collect()
    }

    /// Forgets the calls so far.
    pub(crate) fn forget(&self) {
        self.shared.calls.lock().expect("calls").clear();
    }

    /// The regions an action was called in, sorted.
    pub(crate) fn regions_called(&self, action: &str) -> Vec<String> {
        let calls = self.shared.calls.lock().expect("calls");
        calls.keys().filter(|(called, _)| called == action).map(|(_, region)| region.clone()).collect()
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                connections.spawn(serve(stream, Arc::clone(&shared)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One request, as far as the rules look at it.
struct Request {
    head: String,
    form: Vec<(String, String)>,
    body: Vec<u8>,
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    let Some(request) = read_request(&mut stream).await else { return };
    let mut changes = Vec::new();
    for fault in shared.matching(&request) {
        match answer_alone(&mut stream, &request, fault).await {
            ControlFlow::Break(()) => return,
            ControlFlow::Continue(fault) => changes.push(fault),
        }
    }
    let (status, content_type, mut text) = shared.forward(&request, &changes).await;
    let mut cut = None;
    for change in changes {
        match change {
            Fault::Rewrite(rewrite) => text = rewrite(text),
            Fault::Delay(_) => {}
            Fault::Pages(paging) => text = page_of(&text, &paging, request.page()),
            cutting => cut = Some(cutting),
        }
    }
    let (length, body) = match cut {
        Some(Fault::BreakOff) => (text.len(), without_its_end(&text)),
        Some(_) => (without_its_end(&text).len(), without_its_end(&text)),
        None => (text.len(), text.as_str()),
    };
    send(&mut stream, status, &content_type, length, body.as_bytes()).await;
}

/// Does what needs no answer of moto's, or hands the fault back.
async fn answer_alone(stream: &mut TcpStream, request: &Request, fault: Fault) -> ControlFlow<(), Fault> {
    match fault {
        Fault::Error { status, code, message } => {
            let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
            let (content_type, body) = match request.service() {
                "sts" | "iam" => ("text/xml", format!("<ErrorResponse>{error}</ErrorResponse>")),
                "s3" if request.method() == "HEAD" => ("application/xml", String::new()),
                "s3" => ("application/xml", error),
                "ec2" => (
                    "text/xml",
                    format!("<Response><Errors>{error}</Errors><RequestID>r-1</RequestID></Response>"),
                ),
                _ => {
                    let body = format!("{{\"__type\":\"{code}\",\"message\":\"{message}\"}}");
                    ("application/x-amz-json-1.1", body)
                }
            };
            send(stream, status, content_type, body.len(), body.as_bytes()).await;
        }
        Fault::Answer(body) => {
            let content_type = if body.starts_with('{') { "application/x-amz-json-1.1" } else { "text/xml" };
            send(stream, 200, content_type, body.len(), body.as_bytes()).await;
        }
        Fault::Make(make) => {
            let own = || request.access_key().trim_start_matches("ASIA").to_owned();
            let account = request.account_of_role().unwrap_or_else(own);
            let body = make(&request.action(), &account, request.region(), request.page());
            let content_type = if body.starts_with('{') { "application/x-amz-json-1.1" } else { "text/xml" };
            send(stream, 200, content_type, body.len(), body.as_bytes()).await;
        }
        Fault::Delay(span) => {
            tokio::time::sleep(span).await;
            return ControlFlow::Continue(Fault::Delay(span));
        }
        Fault::Garbage { status } => send(stream, status, "text/html", 9, b"<p>oh no<").await,
        Fault::Hang => std::future::pending().await,
        Fault::Drop => {}
        other => return ControlFlow::Continue(other),
    }
    ControlFlow::Break(())
}

async fn send(stream: &mut TcpStream, status: u16, content_type: &str, length: usize, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(body).await;
    let _ = stream.shutdown().await;
}

async fn read_request(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = header(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let body = bytes.split_off(end);
    let form = String::from_utf8_lossy(&body)
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    Some(Request { head, form, body })
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

impl Request {
    fn field(&self, name: &str) -> Option<&str> {
        self.form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn action(&self) -> String {
        let target = || header(&self.head, "x-amz-target")?.rsplit('.').next();
        match self.field("Action").or_else(target) {
            Some(action) => action.to_owned(),
            None => self.action_of_s3(),
        }
    }

    fn action_of_s3(&self) -> String {
        let (path, query) = self.path().split_once('?').unwrap_or((self.path(), ""));
        match (self.method(), path) {
            ("HEAD", _) => "HeadBucket".to_owned(),
            (_, "/") => "ListBuckets".to_owned(),
            _ => format!("?{}", query.split(['=', '&']).next().unwrap_or_default()),
        }
    }

    fn method(&self) -> &str {
        self.head.split(' ').next().unwrap_or_default()
    }

    fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or("/")
    }

    /// A part of the credential scope: `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
    fn scope(&self, place: usize) -> &str {
        let scope = header(&self.head, "authorization").and_then(|value| value.split("Credential=").nth(1));
        scope.and_then(|scope| scope.split('/').nth(place)).unwrap_or_default()
    }

    fn access_key(&self) -> &str {
        self.scope(0)
    }

    /// The account in the ARN of the role that is asked for.
    fn account_of_role(&self) -> Option<String> {
        let arn = self.field("RoleArn")?.replace("%3A", ":");
        arn.split(':').nth(4).map(str::to_owned)
    }

    fn region(&self) -> &str {
        self.scope(2)
    }

    fn service(&self) -> &str {
        self.scope(3)
    }

    /// The first filter of a call of EC2.
    fn filtered(&self) -> Option<Filtered> {
        let filter = self.field("Filter.1.Name")?.to_owned();
        let values = self.form.iter().filter(|(key, _)| key.starts_with("Filter.1.Value."));
        let values = values.map(|(_, value)| value.clone()).collect();
        Some(Filtered { action: self.action(), filter, values })
    }

    fn page(&self) -> usize {
        self.field("NextToken").and_then(|token| token.strip_prefix("page-")?.parse().ok()).unwrap_or(1)
    }
}

impl Shared {
    /// Counts the call and picks the faults for it.
    fn matching(&self, request: &Request) -> Vec<Fault> {
        let action = request.action();
        let key = (action.clone(), request.region().to_owned());
        *self.calls.lock().expect("calls").entry(key).or_default() += 1;
        let filtered = request.filtered();
        let is_filtered = filtered.is_some();
        self.filtered.lock().expect("filters").extend(filtered);
        if action == "AssumeRole" {
            self.roles.lock().expect("roles").push(request.form.iter().cloned().collect());
        }
        let mut rules = self.rules.lock().expect("rules");
        let own = || self.keys.lock().expect("keys").get(request.access_key()).cloned();
        let account = request.account_of_role().or_else(own);
        let matches = |rule: &&mut Rule| {
            (rule.action == action || rule.action == "*")
                && (rule.account.is_none() || rule.account == account)
                && rule.region.is_none_or(|region| region == request.region())
                && rule.page.is_none_or(|page| page == request.page())
                && rule.filtered.is_none_or(|filtered| filtered == is_filtered)
                && rule.times != Some(0)
        };
        let mut faults = Vec::new();
        for rule in rules.iter_mut().filter(matches) {
            if rule.after > 0 {
                rule.after -= 1;
                continue;
            }
            rule.times = rule.times.map(|times| times - 1);
            faults.push(rule.fault.clone());
        }
        faults
    }

    /// Asks moto, without the tests' own page tokens.
    async fn forward(&self, request: &Request, changes: &[Fault]) -> (u16, String, String) {
        let paged = changes.iter().any(|change| matches!(change, Fault::Pages(_)));
        let body = if paged {
            let own = |key: &str| matches!(key, "NextToken" | "MaxResults");
            let kept = request.form.iter().filter(|(key, _)| !own(key));
            kept.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&").into_bytes()
        } else {
            request.body.clone()
        };
        let method = request.method().parse().expect("an HTTP method");
        let mut call = self.http.request(method, format!("{}{}", self.upstream, request.path())).body(body);
        for name in ["authorization", "content-type", "x-amz-date", "x-amz-security-token", "x-amz-target"] {
            if let Some(value) = header(&request.head, name) {
                call = call.header(name, value);
            }
        }
        let answer = call.send().await.expect("moto answers");
        let status = answer.status().as_u16();
        let content_type =
            answer.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("text/xml");
        let content_type = content_type.to_owned();
        let text = answer.text().await.expect("moto's answer");
        if let (Some(account), Some(key)) = (request.account_of_role(), between(&text, "<AccessKeyId>", "<"))
        {
            self.keys.lock().expect("keys").insert(key.to_owned(), account);
        }
        (status, content_type, text)
    }
}

/// The text between two others.
fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

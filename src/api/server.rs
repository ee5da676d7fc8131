//! Connections: accepts them up to a bound, times out slow headers, and on a stop lets running requests finish.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    io,
    net::{SocketAddr, TcpStream as StdStream},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
};

use axum::{
    BoxError, Router,
    body::{Bytes, HttpBody},
    http::Request,
    response::Response,
};
use hyper::{server::conn::http1, service::Service};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::timeout,
};

use super::{
    App, HttpLimits,
    ends::{End, Ends},
    graphql,
    lanes::Lanes,
    router::{is_operation, routes},
};
use crate::model::parallel::threads;

/// Why a server can't start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address that others can reach, while nothing asks them who they are.
    #[error(
        "`{address}` can be reached from other machines and this server asks nobody for a password: listen on \
         127.0.0.1, or say --allow-remote if something in front of it does"
    )]
    Remote {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The address can't be listened on.
    #[error(
        "cannot listen on `{address}`: another program may be using the port; choose another with --listen"
    )]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// Refuses an address beyond this machine unless it was asked for in so many words.
///
/// # Errors
/// [`ServeError::Remote`].
pub fn refuse_remote(address: SocketAddr, allow_remote: bool) -> Result<(), ServeError> {
    if address.ip().is_loopback() || allow_remote { Ok(()) } else { Err(ServeError::Remote { address }) }
}

/// What answers requests. Nearly all of them are operations, which need no look at the routes.
#[derive(Clone, Debug)]
pub struct Surface {
    app: Arc<App>,
    routes: TowerToHyperService<Router>,
}

impl Surface {
    /// The surface of an app.
    #[must_use]
    pub fn new(app: App) -> Self {
        let app = Arc::new(app);
        Self { routes: TowerToHyperService::new(routes(Arc::clone(&app))), app }
    }
}

impl<B> Service<Request<B>> for Surface
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        if is_operation(&request) {
            let app = Arc::clone(&self.app);
            Box::pin(async move { Ok(graphql::handle(&app, request).await) })
        } else {
            Box::pin(self.routes.call(request))
        }
    }
}

/// Serves until `stop` completes, then lets running requests finish within the limits of the app.
pub async fn serve(listener: TcpListener, app: App, stop: impl Future<Output = ()>) {
    let limits = app.limits;
    let surface = Surface::new(app);
    let (stopping, stopped) = watch::channel(false);
    let slots = Arc::new(Semaphore::new(limits.connections));
    let lanes = Lanes::new(threads());
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        if let Some((stream, slot)) = accepted {
            lanes.spawn(&mut connections, connection(stream, slot, surface.clone(), limits, stopped.clone()));
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    stopping.send_replace(true);
    let finished =
        timeout(limits.stop_time, async { while connections.join_next().await.is_some() {} }).await;
    if finished.is_err() {
        tracing::warn!(connections = connections.len(), "requests were still running at the stop");
    }
    drop(connections);
    lanes.end().await;
}

/// Waits for a free slot first: past the bound, new connections queue in the system's backlog.
async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> Option<(StdStream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    // It is registered anew by the thread that serves it.
    match listener.accept().await.and_then(|(stream, _)| stream.into_std()) {
        Ok(stream) => Some((stream, slot)),
        Err(error) => {
            // Out of file descriptors, most likely: the next moment may have some.
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            None
        }
    }
}

async fn connection(
    stream: StdStream,
    slot: OwnedSemaphorePermit,
    surface: Surface,
    limits: HttpLimits,
    stopped: watch::Receiver<bool>,
) {
    let _until_closed = slot;
    let stream = match TcpStream::from_std(stream) {
        Ok(stream) => stream,
        Err(error) => return tracing::warn!(%error, "a connection could not be served"),
    };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps Nagle's algorithm");
    }
    let ends = Ends::new();
    // Whatever watches ends when this does.
    let mut watching = JoinSet::new();
    watching.spawn(watch_over(ends.clone(), limits, stopped));
    let serving = http1::Builder::new()
        .timer(ends.clone())
        .header_read_timeout(limits.header_time)
        .serve_connection(TokioIo::new(stream), surface)
        .with_upgrades();
    let mut serving = pin!(serving);
    let mut is_stopping = false;
    let finished = poll_fn(|context| {
        if let Poll::Ready(finished) = serving.as_mut().poll(context) {
            return Poll::Ready(Some(finished));
        }
        match ends.poll_told(context) {
            Some(End::SlowHead) => Poll::Ready(None),
            Some(End::Stop) if !is_stopping => {
                is_stopping = true;
                serving.as_mut().graceful_shutdown();
                serving.as_mut().poll(context).map(Some)
            }
            _ => Poll::Pending,
        }
    });
    match finished.await {
        Some(Ok(())) => {}
        Some(Err(error)) => tracing::debug!(%error, "a connection ended early"),
        None => tracing::debug!("a request whose head took too long was given up"),
    }
}

/// Tells a connection when it is to end. A head may take too long while the server waits for what runs to finish, too.
async fn watch_over(ends: Ends, limits: HttpLimits, mut stopped: watch::Receiver<bool>) {
    let told_to_stop = async {
        // An error means that the server is gone, which is a stop as well.
        drop(stopped.wait_for(|stopped| *stopped).await);
    };
    let told_slow = async {
        loop {
            ends.slow_head(limits.header_time).await;
            ends.tell(End::SlowHead);
            // Mostly that was the end of the connection, and of this.
            tokio::time::sleep(limits.header_time).await;
        }
    };
    tokio::join!(told_slow, async {
        told_to_stop.await;
        ends.tell(End::Stop);
    });
}

//! Listening and serving until the process is asked to stop.

use std::{net::SocketAddr, sync::Arc};

use tokio::{net::TcpListener, sync::oneshot};

use super::{failure::Failure, graph_holder::Serving, stop::asked_to_stop};
use crate::api::{App, HostRule, HttpLimits, ServeError, Sockets, refuse_remote, serve};

/// Where to listen, and who may be heard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address {
    /// The address and port; port 0 for any that is free.
    pub(crate) address: SocketAddr,
    /// Whether other machines may connect.
    pub(crate) allow_remote: bool,
}

/// Begins to listen, so that a taken port is told before anything else is done.
pub(crate) async fn listen(address: Address) -> Result<TcpListener, Failure> {
    let Address { address, allow_remote } = address;
    refuse_remote(address, allow_remote).map_err(|error| Failure::input(&error))?;
    TcpListener::bind(address)
        .await
        .map_err(|source| Failure::program(&ServeError::Listen { address, source }))
}

/// Serves until Ctrl-C or SIGTERM, then lets running requests finish; a second signal doesn't wait for them.
pub(crate) async fn serve_until_stopped(
    listener: TcpListener,
    serving: Arc<Serving>,
    limits: HttpLimits,
    (allow_remote, sockets): (bool, Sockets),
) {
    let host_rule = if allow_remote { HostRule::Any } else { HostRule::OwnMachine };
    let app = App::new(serving, limits, host_rule).with_sockets(sockets.clone());
    let (told, is_told) = oneshot::channel();
    let first = async move {
        asked_to_stop().await;
        sockets.close_all().await;
        // Nobody listens only if the serving has ended already.
        told.send(()).ok();
    };
    let second = async move {
        match is_told.await {
            Ok(()) => asked_to_stop().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = serve(listener, app, first) => {}
        () = second => {}
    }
}

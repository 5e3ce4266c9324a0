//! The calls of clients, one module for each family, and how they are run.
//!
//! Handlers block: they read storage and wait for the journal. Each runs on a thread for
//! blocking work; streams pass what they make through a short queue, so that a slow client
//! holds its own call up and no other. [`Direct`] is the same calls for a program that has a
//! [`Server`] of its own.

mod ahead;
mod annotate;
mod attachable;
mod attributes;
mod auto_branch;
mod backup;
mod check_in;
mod check_out;
mod check_vob;
mod comments;
mod describe;
mod explain;
mod facts;
mod faults;
mod file_data;
mod find;
mod further_types;
mod groups;
mod history;
mod hyperlinks;
mod import;
mod label;
mod left_copy;
mod list;
mod lock;
mod locks;
mod lscheckout;
mod make;
mod make_branch;
mod meant;
mod merge;
mod names;
mod objects;
mod private;
mod private_copy;
mod protect;
mod recover;
mod removal;
mod remove_type;
mod reserve;
mod retype;
mod slot;
mod stats;
mod target;
mod text_check;
mod together;
mod triggers;
mod types;
mod uncheckout;
mod version_selector;
mod version_tree;
mod views;
mod vobs;
mod watch;

use super::identity::{self, Caller};
use super::proto::host_server::{Host, HostServer};
use super::proto::*;
use super::state::{Outcome, Server};
use super::transport;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// Items of a stream that may wait for a client.
const QUEUE: usize = 256;

/// Returns the service of a daemon.
pub fn service(server: Arc<Server>) -> HostServer<Calls> {
    HostServer::new(Calls(server)).max_decoding_message_size(64 << 20).max_encoding_message_size(64 << 20)
}

/// The service: hands each call to its handler.
pub struct Calls(Arc<Server>);

/// The calls of a server in this process, each answered before it returns, on the thread that
/// makes it. Who calls is what the program says: there is no socket that would know better.
pub struct Direct(Arc<Server>);

impl Direct {
    /// Returns the calls of a server.
    pub fn of(server: Arc<Server>) -> Direct {
        Direct(server)
    }

    /// Returns the server.
    pub fn server(&self) -> &Arc<Server> {
        &self.0
    }
}

type Items<T> = Pin<Box<dyn tokio_stream::Stream<Item = Result<T, Status>> + Send>>;

impl Calls {
    async fn call<Q, A>(
        &self,
        request: Request<Q>,
        handle: impl Fn(&Server, &Caller, &Q) -> Outcome<A> + Send + 'static,
    ) -> Result<Response<A>, Status>
    where
        Q: Send + 'static,
        A: Send + 'static,
    {
        let caller = transport::caller(&request)?;
        let cleared = cleared(&request);
        let (server, request) = (Arc::clone(&self.0), request.into_inner());
        let work = move || {
            let answer = || identity::answering(&caller, || handle(&server, &caller, &request));
            let answer = match server.has_triggers() {
                false => answer().map(|answer| (answer, None)),
                true => server
                    .answer_with_triggers(&caller, cleared.as_deref(), answer)
                    .and_then(|(answer, after)| Ok((answer?, after))),
            };
            server.host.tell_switched();
            answer
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(answer) => {
                let (answer, after) = answer?;
                Ok(fired(Response::new(answer), after))
            }
            Err(error) => Err(panicked(&error)),
        }
    }

    /// A stream of what changes something: where there are triggers, all of it is done before the first item is sent.
    async fn changing_stream<Q, A>(
        &self,
        request: Request<Q>,
        handle: impl Fn(&Server, &Caller, &Q, &mut dyn FnMut(A) -> bool) -> Outcome<()> + Send + 'static,
    ) -> Result<Response<Items<A>>, Status>
    where
        Q: Send + 'static,
        A: Send + 'static,
    {
        if !self.0.has_triggers() {
            return self.stream(request, handle);
        }
        let all = move |server: &Server, caller: &Caller, request: &Q| {
            let mut items = Vec::new();
            handle(server, caller, request, &mut |item| {
                items.push(item);
                true
            })?;
            Ok(items)
        };
        let (metadata, items, extensions) = self.call(request, all).await?.into_parts();
        let items: Items<A> = Box::pin(tokio_stream::iter(items.into_iter().map(Ok)));
        Ok(Response::from_parts(metadata, items, extensions))
    }

    fn stream<Q, A>(
        &self,
        request: Request<Q>,
        handle: impl FnOnce(&Server, &Caller, &Q, &mut dyn FnMut(A) -> bool) -> Outcome<()> + Send + 'static,
    ) -> Result<Response<Items<A>>, Status>
    where
        Q: Send + 'static,
        A: Send + 'static,
    {
        let caller = transport::caller(&request)?;
        let (server, request) = (Arc::clone(&self.0), request.into_inner());
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::task::spawn_blocking(move || {
            let items = sender.clone();
            let stop = server.stop.subscribe();
            let mut send = move |item| !*stop.borrow() && items.blocking_send(Ok(item)).is_ok();
            let handled = identity::answering(&caller, || handle(&server, &caller, &request, &mut send));
            server.host.tell_switched();
            if let Err(failure) = handled {
                // A client that is gone needs no answer.
                let _ = sender.blocking_send(Err(failure.into()));
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

/// The token of the triggers that ran before a call.
fn cleared<Q>(request: &Request<Q>) -> Option<String> {
    request.metadata().get(triggers::CLEARED)?.to_str().ok().map(str::to_owned)
}

/// Tells the caller of what fires after its call.
fn fired<A>(mut response: Response<A>, after: Option<String>) -> Response<A> {
    if let Some(token) = after.and_then(|token| token.parse().ok()) {
        response.metadata_mut().insert(triggers::FIRED, token);
    }
    response
}

fn panicked(error: &tokio::task::JoinError) -> Status {
    tracing::error!(%error, "a call did not end as it should");
    Failure::internal(format!("a call did not end as it should: {error}")).into()
}

macro_rules! calls {
    ($($name:ident($request:ty) -> $answer:ty = $handler:path;)* ;
     $($stream:ident $items:ident($sr:ty) -> $si:ty = $sh:path;)* ;
     $($changing:ident $changed:ident($cr:ty) -> $ci:ty = $ch:path;)*) => {
        #[tonic::async_trait]
        impl Host for Calls {
            $(async fn $name(&self, request: Request<$request>) -> Result<Response<$answer>, Status> {
                self.call(request, $handler).await
            })*
            $(type $items = Items<$si>;
            async fn $stream(&self, request: Request<$sr>) -> Result<Response<Items<$si>>, Status> {
                self.stream(request, $sh)
            })*
            $(type $changed = Items<$ci>;
            async fn $changing(&self, request: Request<$cr>) -> Result<Response<Items<$ci>>, Status> {
                self.changing_stream(request, $ch).await
            })*
        }

        impl Direct {
            $(#[doc = concat!("Answers the call `", stringify!($name), "`.\n\n# Errors\nThe failure of the call as a whole.")]
            pub fn $name(&self, caller: &Caller, request: &$request) -> Outcome<$answer> {
                $handler(&self.0, caller, request)
            })*
            $(#[doc = concat!("Answers the call `", stringify!($stream), "`: hands every item to `send`, until that wants no more.\n\n# Errors\nThe failure of the call as a whole.")]
            pub fn $stream(&self, caller: &Caller, request: &$sr, send: &mut dyn FnMut($si) -> bool) -> Outcome<()> {
                $sh(&self.0, caller, request, send)
            })*
            $(#[doc = concat!("Answers the call `", stringify!($changing), "`: hands every item to `send`, until that wants no more.\n\n# Errors\nThe failure of the call as a whole.")]
            pub fn $changing(&self, caller: &Caller, request: &$cr, send: &mut dyn FnMut($ci) -> bool) -> Outcome<()> {
                $ch(&self.0, caller, request, send)
            })*
        }
    };
}

calls! {
    shutdown(ShutdownRequest) -> ShutdownReply = Server::shutdown;
    status(StatusRequest) -> StatusReply = Server::status;
    stats(StatsRequest) -> StatsReply = Server::stats;
    create_vob(CreateVobRequest) -> VobFacts = Server::create_vob;
    remove_vob(RemoveVobRequest) -> VobFacts = Server::remove_vob;
    list_vobs(ListVobsRequest) -> ListVobsReply = Server::list_vobs;
    mount_vob(MountRequest) -> MountReply = Server::mount_vobs;
    unmount_vob(MountRequest) -> MountReply = Server::unmount_vobs;
    create_view(CreateViewRequest) -> CreateViewReply = Server::create_view;
    remove_view(RemoveViewRequest) -> RemoveViewReply = Server::remove_view;
    list_views(ListViewsRequest) -> ListViewsReply = Server::list_views;
    start_view(ViewTags) -> ViewOutcomes = Server::start_views;
    end_view(ViewTags) -> ViewOutcomes = Server::end_views;
    set_config_spec(SetConfigSpecRequest) -> SetConfigSpecReply = Server::set_config_spec;
    get_config_spec(GetConfigSpecRequest) -> GetConfigSpecReply = Server::get_config_spec;
    current_view(CurrentViewRequest) -> CurrentViewReply = Server::answer_current_view;
    inspect(InspectRequest) -> InspectReply = Server::inspect;
    checkout(CheckoutRequest) -> CheckoutReply = Server::check_out;
    checkin(CheckinRequest) -> CheckinReply = Server::check_in;
    uncheckout(UncheckoutRequest) -> UncheckoutReply = Server::cancel_check_out;
    make_element(MakeElementRequest) -> MakeElementReply = Server::make_elements;
    make_directory(MakeDirectoryRequest) -> MakeElementReply = Server::make_directories;
    describe(DescribeRequest) -> Description = Server::describe;
    make_types(MakeTypesRequest) -> MakeTypesReply = Server::make_types;
    list_types(ListTypesRequest) -> ListTypesReply = Server::list_types;
    rename_type(RenameTypeRequest) -> TypeFacts = Server::rename_type;
    remove_types(RemoveTypesRequest) -> RemoveTypesReply = Server::remove_types;
    make_branch(MakeBranchRequest) -> MakeBranchReply = Server::make_branches;
    reserve(ReserveRequest) -> ReserveReply = Server::reserve;
    remove_names(RemoveNamesRequest) -> NamesReply = Server::remove_names;
    move_names(MoveNamesRequest) -> NamesReply = Server::move_names;
    link_names(LinkNamesRequest) -> NamesReply = Server::link_names;
    change_vob(ChangeVobRequest) -> ListVobsReply = Server::change_vobs;
    lock_objects(LockRequest) -> ObjectsReply = Server::lock_objects;
    list_locks(ListLocksRequest) -> ListLocksReply = Server::list_locks;
    remove(RemoveRequest) -> RemoveReply = Server::remove;
    make_hyperlink(MakeHyperlinkRequest) -> HyperlinkId = Server::make_hyperlink;
    remove_hyperlinks(RemoveHyperlinksRequest) -> RemoveHyperlinksReply = Server::remove_hyperlinks;
    protect_vob(ProtectVobRequest) -> ListVobsReply = Server::protect_vobs;
    change_type(ChangeTypeRequest) -> ObjectsReply = Server::change_types;
    change_comment(ChangeCommentRequest) -> ObjectsReply = Server::change_comments;
    back_up_vob(BackupRequest) -> BackupReply = Server::back_up_vob;
    restore_vob(RestoreRequest) -> RestoreReply = Server::restore_vob;
    change_triggers(ChangeTriggersRequest) -> ChangeTriggersReply = Server::change_triggers;
    firings(FiringsRequest) -> FiringsReply = Server::firings;
    settle_firings(SettleFiringsRequest) -> SettleFiringsReply = Server::settle_firings;
    merge_facts(MergeFactsRequest) -> MergeFactsReply = Server::merge_facts;
    merge(MergeRequest) -> MergeReply = Server::merge;
    directory_names(DirectoryNamesRequest) -> DirectoryNamesReply = Server::directory_names;
    annotate(AnnotateRequest) -> AnnotateReply = Server::annotate;
    ;
    list ListStream(ListRequest) -> ListItem = Server::list;
    version_tree VersionTreeStream(VersionTreeRequest) -> VersionTreeItem = Server::version_tree;
    history HistoryStream(HistoryRequest) -> HistoryItem = Server::history;
    import ImportStream(ImportRequest) -> ImportItem = Server::import;
    list_checkouts ListCheckoutsStream(ListCheckoutsRequest) -> CheckoutItem = Server::list_checkouts;
    explain ExplainStream(ExplainRequest) -> ExplainItem = Server::explain;
    list_private ListPrivateStream(ListPrivateRequest) -> PrivateItem = Server::list_private;
    recover_view RecoverViewStream(RecoverViewRequest) -> RecoverItem = Server::recover_view;
    check_vob CheckVobStream(CheckVobRequest) -> CheckVobItem = Server::check_vobs;
    find FindStream(FindRequest) -> FindItem = Server::find;
    watch WatchStream(WatchRequest) -> WatchItem = Server::watch;
    ;
    label LabelStream(LabelRequest) -> LabelItem = Server::label;
    attribute AttributeStream(AttributeRequest) -> AttributeItem = Server::attribute;
    protect ProtectStream(ProtectRequest) -> ProtectItem = Server::protect;
}

impl Server {
    fn shutdown(&self, caller: &Caller, _request: &ShutdownRequest) -> Outcome<ShutdownReply> {
        self.permit(caller, &[], "shutdown")?;
        let _ = self.stop.send(true);
        Ok(ShutdownReply { pid: std::process::id() })
    }

    fn status(&self, _caller: &Caller, _request: &StatusRequest) -> Outcome<StatusReply> {
        use std::os::unix::ffi::OsStrExt;
        Ok(StatusReply {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            home: self.home.root().as_os_str().as_bytes().to_vec(),
            viewroot: self.home.viewroot().as_os_str().as_bytes().to_vec(),
            viewroot_mounted: self
                .mounted
                .lock()
                .as_ref()
                .is_some_and(|mounted| !mounted.ending().has_come()),
            started_s: self.started_s,
            mounted_vobs: self.host.vobs().iter().map(|vob| vob.tag.clone().into_bytes()).collect(),
            started_views: self.host.views().iter().map(|view| view.tag.clone()).collect(),
        })
    }
}

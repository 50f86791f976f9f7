//! One region, from its foundation up: store, keys, API server, definitions, components.

use std::sync::{Arc, Mutex};

use futures::{StreamExt as _, TryStreamExt as _};
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use mainstay_apiserver::ApiServer;
use mainstay_base::disk::RealDisk;
use mainstay_base::net::Listener;
use mainstay_base::task::{Kind, Shutdown, Tree};
use mainstay_base::{BoxError, Diagnostic, World};
use mainstay_control::Component;
use mainstay_kinds::ClusterConfig;
use mainstay_pki::{Authority, Subject, Tokens};
use mainstay_resource::access::MASTERS;
use mainstay_resource::meta;
use mainstay_store::Store;

use super::Foundation;
use crate::config::RegionConfig;
use crate::documents::FIELD_MANAGER;
use crate::kubeconfig::{self, Entry};
use crate::readiness::Readiness;
use crate::region::{Life, Region, client};
use crate::{codes, components};

/// The first address of the service range, where `kubernetes.default` is.
const SERVICE_ADDRESS: &str = "10.96.0.1";

/// Starts a region on its foundation.
pub(super) async fn start(
    world: &World,
    config: &RegionConfig,
    foundation: Foundation,
    shutdown: Shutdown,
) -> Result<Region, Diagnostic> {
    let name = config.name.clone();
    let fail = |error: &dyn std::error::Error| cannot_start(&name, error);
    let (store, door) = match foundation {
        Foundation::Memory { observe, region } => {
            let observer = observe.map(|observe| {
                Box::new(move |event: &mainstay_store::Event| observe(&region, event))
                    as mainstay_store::Observer
            });
            (Store::in_memory(observer), None)
        }
        Foundation::Folder { folder, listener } => {
            let disk = Arc::new(RealDisk::open(&folder).map_err(|error| fail(&error))?);
            let store = Store::open(disk.clone(), mainstay_apiserver::index).map_err(|error| fail(&error))?;
            let authority = Authority::load_or_create(&*disk, world, &name).map_err(|error| fail(&error))?;
            (store, Some((authority, listener)))
        }
    };
    let address = door.as_ref().map(|(_, listener)| listener.local_addr()).transpose();
    let address = address.map_err(|error| fail(&error))?;
    // A virtual World has no keys: nobody signs there, and nobody verifies.
    let signer = door.as_ref().map(|(authority, _)| authority.certificate_pem());
    let list = components::all(signer.unwrap_or(mainstay_pki::NOBODY));
    let advertise = address.as_ref().map(ToString::to_string).unwrap_or_default();
    let api = server(world, &name, &store, &list, &advertise);
    let life = Life::new(api.clone(), &shutdown);
    api.bootstrap().await.map_err(|error| fail(&error))?;
    let administrator = client(&api, components::administrator());
    install(&administrator).await.map_err(|error| fail(&error))?;
    let entry = match door {
        Some((authority, listener)) => {
            let entry = open_door(&name, &authority, listener, &api, &life.servers);
            Some(entry.map_err(|error| fail(&*error))?)
        }
        None => None,
    };
    let readiness = Readiness::expecting(nodes_wanted(&config.cluster));
    let region = Region {
        name: name.clone(),
        role: config.role,
        shutdown,
        life: Mutex::new(life),
        store,
        readiness,
        address,
        entry,
    };
    live(world, &region, list);
    Ok(region)
}

/// The API server of a region over its store.
pub(crate) fn server(
    world: &World,
    region: &str,
    store: &Store,
    list: &[Component],
    advertise: &str,
) -> ApiServer {
    ApiServer::new(mainstay_apiserver::Config {
        world: world.clone(),
        region: region.to_owned(),
        store: store.clone(),
        rules: list.iter().map(|one| (one.user.to_owned(), one.rules)).collect(),
        tokens: Tokens::new(),
        advertise: advertise.to_owned(),
    })
}

/// Starts everything that runs in a region whose API server serves.
pub(crate) fn live(world: &World, region: &Region, list: Vec<Component>) {
    let Life { api: keeper, clients, .. } = region.life().clone();
    clients.supervise(Kind::Housekeeping, "event-expiry", move || keeper.clone().expire_events());
    region.start_components(world, list);
    let (readiness, observer) = (region.readiness.clone(), region.client());
    clients.supervise(Kind::Housekeeping, "readiness", move || readiness.clone().watch(observer.clone()));
}

/// How many nodes a cluster asks for.
pub(crate) fn nodes_wanted(cluster: &ClusterConfig) -> usize {
    let (groups, _problems) = mainstay_capacity::groups(cluster);
    groups.iter().map(|group| usize::try_from(group.desired).unwrap_or(usize::MAX)).sum()
}

/// How many definitions are on their way at a time: the store commits them together.
const DEFINITIONS_AT_A_TIME: usize = 16;

/// Puts the definitions of all kinds we know into it.
async fn install(client: &Client) -> Result<(), kube::Error> {
    let definitions: Api<
        k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
    > = Api::all(client.clone());
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    for definition in mainstay_kinds::crds() {
        let name = definition.metadata.name.clone().unwrap_or_default();
        definitions.patch(&name, &parameters, &Patch::Apply(&definition)).await?;
    }
    let (definitions, parameters_of_all) = (&definitions, &parameters);
    let foreign = mainstay_kinds::foreign_crds().iter().map(|definition| async move {
        let patch = Patch::Apply(definition);
        definitions.patch_metadata(meta::name(definition), parameters_of_all, &patch).await
    });
    let mut foreign = futures::stream::iter(foreign).buffer_unordered(DEFINITIONS_AT_A_TIME);
    while foreign.try_next().await?.is_some() {}
    Ok(())
}

/// Lets kubectl in: the server's certificate, the administrator's, and the accept loop.
fn open_door(
    region: &str,
    authority: &Authority,
    listener: Listener,
    api: &ApiServer,
    tree: &Tree,
) -> Result<Entry, BoxError> {
    let address = listener.local_addr()?;
    let certificate = authority.issue_server(&[SERVICE_ADDRESS.to_owned()])?;
    let administrator = authority.issue_client(&Subject::new("mainstay:administrator", &[MASTERS]))?;
    api.serve(listener, authority.server_config(&certificate)?, tree);
    let entry = Entry {
        name: kubeconfig::context(region),
        server: format!("https://{address}"),
        authority_pem: authority.certificate_pem().to_owned(),
        certificate_pem: administrator.certificate_pem,
        key_pem: administrator.key_pem,
    };
    Ok(entry)
}

/// A region that cannot start, and why.
pub(crate) fn cannot_start(region: &str, error: &dyn std::error::Error) -> Diagnostic {
    let mut problem =
        Diagnostic::error(codes::REGION_START, format!("{region} cannot start")).cause(error.to_string());
    let mut source = error.source();
    while let Some(cause) = source {
        problem = problem.cause(cause.to_string());
        source = cause.source();
    }
    problem.help("its files are untouched; `mainstay reset` removes them and starts afresh")
}

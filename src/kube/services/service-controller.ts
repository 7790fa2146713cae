/** Gives Services their addresses, and the endpoints that their selectors find. */
import type { Endpoints, Pod, Service } from "kubernetes-types/core/v1"
import type { EndpointSlice } from "kubernetes-types/discovery/v1"
import { isSkiffError } from "../../base/errors.ts"
import type { CachedChange, Cluster } from "../controllers/cluster.ts"
import { keyOf } from "../controllers/cluster.ts"
import type { Controller } from "../controllers/controller.ts"
import type { Kept } from "../controllers/kept.ts"
import type { ControllerDeps } from "../controllers/pod-control.ts"
import { selectsAll } from "../controllers/selector.ts"
import type { StoredObject } from "../objects/objects.ts"
import { sourceRanges } from "./address-spans.ts"
import { assignService, balancedAddress, isAssigned, type Assignments } from "./assign-service.ts"
import type { ClusterNetwork } from "./cluster-network.ts"
import { isExternalAddress, SERVICE_SETTINGS } from "./external-addresses.ts"
import { groupsOfSubsets, OVER_CAPACITY, subsetsOf } from "./endpoints.ts"
import {
  groupsOf,
  MANAGED_BY,
  MIRROR_CONTROLLER,
  SERVICE_NAME,
  SLICE_CONTROLLER,
  sliceChanges,
  SLICES,
  type EndpointGroup,
} from "./slices.ts"

const COMPONENT = "service-controller"
const ENDPOINTS_MANAGED_BY = "endpoints.kubernetes.io/managed-by"
const RETRY_MS = 200

type KeptService = Kept<Service>

/** `network`: the cluster's, once it is there. */
export function serviceController(
  { cluster, recorder }: ControllerDeps,
  network: () => ClusterNetwork | undefined,
): Controller {
  const assignments = (): Assignments | undefined => {
    const ranges = network()?.options.virtual
    return ranges && { ranges, services: cluster.list<Service>("services") }
  }

  const assigned = (service: KeptService, given: Assignments): KeptService | undefined => {
    try {
      const spec = assignService(service, given)
      const now =
        spec === service.spec
          ? service
          : cluster.patch<Service>("services", service, (current) => ({
              ...current,
              spec: assignService(current, given),
            }))
      return now && withBalancer(now, given)
    } catch (error) {
      if (!isSkiffError(error, "InvalidArgument")) throw error
      recorder.tell(service, {
        type: "Warning",
        reason: "FailedAllocation",
        message: error.message,
        component: COMPONENT,
      })
      return service
    }
  }

  const withBalancer = (service: KeptService, given: Assignments): KeptService | undefined => {
    const address = hasSourceRanges(service) ? balancedAddress(service, given) : undefined
    const before = service.status?.loadBalancer?.ingress?.[0]?.ip
    if (address === before || service.spec?.loadBalancerClass !== undefined) return service
    return cluster.patchStatus<Service>("services", service, ({ status }) => ({
      ...status,
      loadBalancer: address === undefined ? {} : { ingress: [{ ip: address, ipMode: "VIP" }] },
    }))
  }

  /** Whether it can be bounded as it says, or says nothing of it: one that would be open to all has no address. */
  const hasSourceRanges = (service: KeptService): boolean => {
    try {
      sourceRanges(service.spec?.loadBalancerSourceRanges)
      return true
    } catch (error) {
      if (!isSkiffError(error, "InvalidArgument")) throw error
      recorder.tell(service, {
        type: "Warning",
        reason: "UnsupportedLoadBalancer",
        message: `the Service gets no address: ${error.message}`,
        component: COMPONENT,
      })
      return false
    }
  }

  /** Addresses that it may not have are told of; all else of it works. */
  const checkExternal = (service: KeptService): void => {
    const found = network()
    const refused = (service.spec?.externalIPs ?? []).filter(
      (address) => found === undefined || !isExternalAddress(cluster, found, address),
    )
    if (refused.length === 0) return
    recorder.tell(service, {
      type: "Warning",
      reason: "UnsupportedExternalIPs",
      message: `externalIPs ${refused.slice(0, 4).join(", ").slice(0, 200)} are not honoured: they could be addresses of others (CVE-2020-8554); an administrator allows ranges in the ConfigMap ${SERVICE_SETTINGS.namespace}/${SERVICE_SETTINGS.name}, externalIPs`,
      component: COMPONENT,
    })
  }

  const slicesOf = (service: KeptService, manager: string): Kept<EndpointSlice>[] =>
    cluster
      .list<EndpointSlice>(SLICES, service.metadata.namespace)
      .filter(
        ({ metadata: { labels = {} } }) =>
          labels[SERVICE_NAME] === service.metadata.name && labels[MANAGED_BY] === manager,
      )

  const write = (service: KeptService, groups: readonly EndpointGroup[], manager: string): void => {
    const { name, namespace, uid } = service.metadata
    const changes = sliceChanges(groups, slicesOf(service, manager))
    const isHeadless = service.spec?.clusterIP === "None"
    for (const { slice, endpoints } of changes.update)
      cluster.patch<EndpointSlice>(SLICES, slice, (current) => ({ ...current, endpoints }))
    for (const { addressType, ports, endpoints } of changes.create)
      cluster.create<EndpointSlice>(SLICES, {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: {
          generateName: `${name}-`,
          namespace,
          labels: {
            ...service.metadata.labels,
            [SERVICE_NAME]: name,
            [MANAGED_BY]: manager,
            ...(isHeadless && { "service.kubernetes.io/headless": "" }),
          },
          ownerReferences: [
            { apiVersion: "v1", kind: "Service", name, uid, controller: true, blockOwnerDeletion: true },
          ],
        },
        addressType,
        ports,
        endpoints,
      })
    for (const slice of changes.delete) cluster.delete(SLICES, slice)
  }

  const writeEndpoints = (service: KeptService, groups: readonly EndpointGroup[]): void => {
    const { name, namespace } = service.metadata
    const { subsets, isTruncated } = subsetsOf(groups)
    const found = cluster.find<Endpoints>("endpoints", name, namespace)
    const annotations = isTruncated ? { [OVER_CAPACITY]: "truncated" } : {}
    if (found === undefined) {
      cluster.create("endpoints", {
        apiVersion: "v1",
        kind: "Endpoints",
        metadata: {
          name,
          namespace,
          labels: { ...service.metadata.labels, [ENDPOINTS_MANAGED_BY]: "endpoint-controller" },
          annotations,
        },
        subsets,
      })
      return
    }
    if (JSON.stringify(found.subsets ?? []) === JSON.stringify(subsets)) return
    cluster.patch<Endpoints>("endpoints", found, (current) => {
      const { [OVER_CAPACITY]: _, ...others } = current.metadata.annotations ?? {}
      return { ...current, metadata: { ...current.metadata, annotations: { ...others, ...annotations } }, subsets }
    })
  }

  return {
    name: "service",
    keysOf: (change) => serviceKeys(cluster, change),
    reconcile(key) {
      const service = cluster.byKey<Service>("services", key)
      if (service === undefined || service.metadata.deletionTimestamp !== undefined) return forget(cluster, key)
      const given = assignments()
      if (given === undefined) return RETRY_MS
      checkExternal(service)
      const now = isAssigned(service) && hasSourceRanges(service) ? service : assigned(service, given)
      if (now === undefined) return
      const { selector, type } = now.spec ?? {}
      if (type === "ExternalName") {
        for (const manager of [SLICE_CONTROLLER, MIRROR_CONTROLLER])
          for (const slice of slicesOf(now, manager)) cluster.delete(SLICES, slice)
        return
      }
      const { name, namespace } = now.metadata
      if (selector === undefined || Object.keys(selector).length === 0) {
        for (const slice of slicesOf(now, SLICE_CONTROLLER)) cluster.delete(SLICES, slice)
        const byHand = cluster.find<Endpoints>("endpoints", name, namespace)
        const isOurs = byHand?.metadata.labels?.[ENDPOINTS_MANAGED_BY] !== undefined
        const isSkipped = byHand?.metadata.labels?.["endpointslice.kubernetes.io/skip-mirror"] === "true"
        write(
          now,
          byHand === undefined || isOurs || isSkipped ? [] : groupsOfSubsets(byHand.subsets ?? []),
          MIRROR_CONTROLLER,
        )
        return
      }
      for (const slice of slicesOf(now, MIRROR_CONTROLLER)) cluster.delete(SLICES, slice)
      const pods = cluster
        .list<Pod>("pods", namespace)
        .filter(({ metadata: { labels } }) => selectsAll(selector, labels))
      const groups = groupsOf(now, pods)
      write(now, groups, SLICE_CONTROLLER)
      writeEndpoints(now, groups)
    },
  }
}

/** The endpoints of a Service have its name, and no owner. Its slices go with it by theirs. */
function forget(cluster: Cluster, key: string): undefined {
  const endpoints = cluster.byKey<Endpoints>("endpoints", key)
  if (endpoints?.metadata.labels?.[ENDPOINTS_MANAGED_BY] !== undefined) cluster.delete("endpoints", endpoints)
  const [namespace = "", name = ""] = key.split("/")
  for (const slice of cluster.list<EndpointSlice>(SLICES, namespace)) {
    const { [SERVICE_NAME]: of, [MANAGED_BY]: manager } = slice.metadata.labels ?? {}
    if (of === name && (manager === SLICE_CONTROLLER || manager === MIRROR_CONTROLLER)) cluster.delete(SLICES, slice)
  }
  return undefined
}

/** Keys of Services that name addresses of others: the settings of them have changed. */
export function withExternal(cluster: Pick<Cluster, "list">): string[] {
  return cluster
    .list<Service>("services")
    .filter(({ spec }) => (spec?.externalIPs ?? []).length > 0)
    .map(({ metadata }) => keyOf(metadata.namespace, metadata.name))
}

/** Services that a change is of concern to. */
function serviceKeys(cluster: Cluster, { resource, object, previous }: CachedChange): string[] {
  const { namespace, name, labels } = object.metadata
  if (resource === "services" || resource === "endpoints") return [keyOf(namespace, name)]
  if (resource === SLICES) {
    const service = labels?.[SERVICE_NAME]
    return service === undefined ? [] : [keyOf(namespace, service)]
  }
  if (resource === "configmaps" && name === SERVICE_SETTINGS.name) return withExternal(cluster)
  if (resource !== "pods") return []
  return cluster.list<Service>("services", namespace).flatMap((service) => {
    const { selector } = service.spec ?? {}
    if (selector === undefined || Object.keys(selector).length === 0) return []
    const isSelected = (pod: StoredObject | undefined): boolean =>
      pod !== undefined && selectsAll(selector, pod.metadata.labels)
    return isSelected(object) || isSelected(previous) ? [keyOf(namespace, service.metadata.name)] : []
  })
}

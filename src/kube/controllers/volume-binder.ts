import type { PersistentVolume, PersistentVolumeClaim, Pod } from "kubernetes-types/core/v1"
import type { StorageClass } from "kubernetes-types/storage/v1"
import type { Volumes } from "../../volume/volume.ts"
import { PROVISIONED_BY, VOLUME_ANNOTATION } from "./claim-volume.ts"
import { keyOf } from "./cluster.ts"
import type { Controller } from "./controller.ts"
import type { Kept } from "./kept.ts"
import type { ControllerDeps } from "./pod-control.ts"
import { isFinished } from "./pod-state.ts"
import { quantity } from "./quantities.ts"
import { selects } from "./selector.ts"

/** Resources, and the class whose volumes are directories of this store. */
export const CLAIMS = "persistentvolumeclaims"
export const VOLUMES = "persistentvolumes"
const CLASSES = "storageclasses.storage.k8s.io"
export const PROVISIONER = "skiff.io/local-path"
export const LOCAL_CLASS = "local-path"
const DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
const BOUND_BY = "pv.kubernetes.io/bound-by-controller"
const BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
const CLAIM_PROTECTION = "kubernetes.io/pvc-protection"
const VOLUME_PROTECTION = "kubernetes.io/pv-protection"
const COMPONENT = "persistentvolume-controller"
/** No name of a volume: stands for the class. */
const CLASS_KEY = ""

type Claim = Kept<PersistentVolumeClaim>
type KeptVolume = Kept<PersistentVolume>

/** Whether a volume that nobody has may be a claim's: the smallest that fits is taken. Pure. */
export function fitsClaim(volume: KeptVolume, claim: Claim, className: string): boolean {
  const { spec } = volume
  const reserved = spec?.claimRef
  if (reserved)
    return (
      reserved.name === claim.metadata.name &&
      reserved.namespace === claim.metadata.namespace &&
      (reserved.uid === undefined || reserved.uid === claim.metadata.uid)
    )
  if (volume.status?.phase === "Released" || volume.status?.phase === "Failed") return false
  const wanted = claim.spec ?? {}
  return (
    (spec?.storageClassName ?? "") === className &&
    quantity(spec?.capacity?.["storage"]) >= quantity(wanted.resources?.requests?.["storage"]) &&
    (wanted.accessModes ?? []).every((mode) => spec?.accessModes?.includes(mode)) &&
    (wanted.selector === undefined || selects(wanted.selector, volume.metadata.labels)) &&
    (wanted.volumeMode ?? "Filesystem") === (spec?.volumeMode ?? "Filesystem")
  )
}

/** Binds claims to volumes, and makes those of the class `local-path`: each is a volume of the engine. */
export function volumeBinder(
  deps: ControllerDeps,
  { volumes, nodeName }: { volumes: Volumes; nodeName: string },
): Controller[] {
  const { cluster, recorder } = deps
  const claims: Controller = {
    name: COMPONENT,
    *keysOf({ resource, object, previous }) {
      const { metadata } = object
      if (resource === CLAIMS) yield keyOf(metadata.namespace, metadata.name)
      if (resource === VOLUMES)
        for (const one of [object, previous]) {
          const claim = (one as unknown as KeptVolume | undefined)?.spec?.claimRef
          if (claim?.name !== undefined) yield keyOf(claim.namespace, claim.name)
        }
      if (resource === VOLUMES || resource === CLASSES)
        for (const one of cluster.list<PersistentVolumeClaim>(CLAIMS))
          if (one.status?.phase !== "Bound") yield keyOf(one.metadata.namespace, one.metadata.name)
      if (resource === "pods")
        for (const { persistentVolumeClaim } of (object as unknown as Kept<Pod>).spec?.volumes ?? [])
          if (persistentVolumeClaim) yield keyOf(metadata.namespace, persistentVolumeClaim.claimName)
    },
    reconcile(key) {
      const claim = cluster.byKey<PersistentVolumeClaim>(CLAIMS, key)
      if (claim === undefined) return
      if (claim.metadata.deletionTimestamp !== undefined) return letGo(claim)
      if (!claim.metadata.finalizers?.includes(CLAIM_PROTECTION)) addFinalizer(CLAIMS, claim, CLAIM_PROTECTION)
      const bound = claim.spec?.volumeName
      if (bound !== undefined && bound !== "") return keepBound(claim, bound)
      bind(claim)
    },
  }
  const released: Controller = {
    name: "persistentvolume-reclaimer",
    *keysOf({ resource, object, type }) {
      if (resource === VOLUMES && type !== "DELETED") yield object.metadata.name
      if (resource === VOLUMES && type === "DELETED") removeFiles(object as unknown as KeptVolume)
      if (resource === CLAIMS && type === "DELETED") {
        const name = (object as unknown as Claim).spec?.volumeName
        if (name) yield name
      }
      if (resource === "nodes" && type === "ADDED") yield CLASS_KEY
    },
    reconcile(name) {
      if (name === CLASS_KEY) return keepClass()
      const volume = cluster.find<PersistentVolume>(VOLUMES, name)
      if (volume === undefined) return
      const { claimRef } = volume.spec ?? {}
      const claim = claimRef && cluster.find<PersistentVolumeClaim>(CLAIMS, claimRef.name ?? "", claimRef.namespace)
      const isHeld = claim !== undefined && (claimRef?.uid === undefined || claim.metadata.uid === claimRef.uid)
      if (volume.metadata.deletionTimestamp !== undefined) {
        if (!isHeld) withoutFinalizers(VOLUMES, volume, VOLUME_PROTECTION)
        return
      }
      if (!volume.metadata.finalizers?.includes(VOLUME_PROTECTION)) addFinalizer(VOLUMES, volume, VOLUME_PROTECTION)
      const wasBound = claimRef?.uid !== undefined
      if (wasBound && !isHeld) {
        if (volume.spec?.persistentVolumeReclaimPolicy === "Delete") return void cluster.delete(VOLUMES, volume)
        return phase(volume, "Released")
      }
      if (claimRef === undefined || !wasBound) phase(volume, "Available")
    },
  }
  return [claims, released]

  /** Of what we made ourselves, once its object is gone. */
  function removeFiles({ metadata, spec }: KeptVolume): void {
    const name = metadata.annotations?.[VOLUME_ANNOTATION]
    if (name === undefined || metadata.annotations?.[PROVISIONED_BY] !== PROVISIONER) return
    if (spec?.persistentVolumeReclaimPolicy === "Delete") void volumes.remove(name, { force: true }).catch(() => {})
  }

  function phase(volume: KeptVolume, name: string): void {
    cluster.patchStatus<PersistentVolume>(VOLUMES, volume, ({ status }) => ({ ...status, phase: name }))
  }

  function classOf(claim: Claim): string | undefined {
    const asked = claim.spec?.storageClassName
    if (asked !== undefined) return asked
    // the first claim may be here before the node is
    if (cluster.list<StorageClass>(CLASSES).length === 0) keepClass()
    return cluster.list<StorageClass>(CLASSES).find(({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === "true")
      ?.metadata.name
  }

  function bind(claim: Claim): void {
    const className = classOf(claim)
    const found = cluster
      .list<PersistentVolume>(VOLUMES)
      .filter((volume) => fitsClaim(volume, claim, className ?? ""))
      .toSorted((a, b) => quantity(a.spec?.capacity?.["storage"]) - quantity(b.spec?.capacity?.["storage"]))
    const [volume] = found
    if (volume !== undefined) return take(claim, volume)
    const storage = className === undefined ? undefined : cluster.find<StorageClass>(CLASSES, className)
    if (storage === undefined || className === "") {
      const why =
        className === undefined || className === ""
          ? "no persistent volumes available for this claim and no storage class is set"
          : `storageclass.storage.k8s.io "${className}" not found`
      recorder.tell(claim, {
        type: "Warning",
        reason: className ? "ProvisioningFailed" : "FailedBinding",
        message: why,
        component: COMPONENT,
      })
      return pending(claim)
    }
    if (storage.provisioner !== PROVISIONER) {
      recorder.tell(claim, {
        reason: "ExternalProvisioning",
        message: `Waiting for a volume to be created either by the external provisioner '${storage.provisioner}' or manually by the system administrator`,
        component: COMPONENT,
      })
      return pending(claim)
    }
    if (storage.volumeBindingMode === "WaitForFirstConsumer" && !hasConsumer(claim)) {
      recorder.tell(claim, {
        reason: "WaitForFirstConsumer",
        message: "waiting for first consumer to be created before binding",
        component: COMPONENT,
      })
      return pending(claim)
    }
    provision(claim, storage)
  }

  function pending(claim: Claim): void {
    if (claim.status?.phase === "Pending") return
    cluster.patchStatus<PersistentVolumeClaim>(CLAIMS, claim, ({ status }) => ({ ...status, phase: "Pending" }))
  }

  function hasConsumer({ metadata: { name, namespace } }: Claim): boolean {
    return cluster
      .list<Pod>("pods", namespace)
      .some(({ spec }) => spec?.volumes?.some(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === name))
  }

  function provision(claim: Claim, storage: Kept<StorageClass>): void {
    const { uid, name, namespace } = claim.metadata
    const made = `pvc-${uid}`
    const volume =
      cluster.find<PersistentVolume>(VOLUMES, made) ??
      cluster.create<PersistentVolume>(VOLUMES, {
        apiVersion: "v1",
        kind: "PersistentVolume",
        metadata: {
          name: made,
          annotations: { [PROVISIONED_BY]: PROVISIONER, [VOLUME_ANNOTATION]: made },
          finalizers: [VOLUME_PROTECTION],
        },
        spec: {
          capacity: { storage: claim.spec?.resources?.requests?.["storage"] ?? "1Gi" },
          accessModes: claim.spec?.accessModes ?? ["ReadWriteOnce"],
          persistentVolumeReclaimPolicy: storage.reclaimPolicy ?? "Delete",
          storageClassName: storage.metadata.name,
          volumeMode: "Filesystem",
          claimRef: { kind: "PersistentVolumeClaim", apiVersion: "v1", name, namespace, uid },
          hostPath: { path: volumes.mountpoint(made), type: "DirectoryOrCreate" },
          nodeAffinity: {
            required: {
              nodeSelectorTerms: [
                { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [nodeName] }] },
              ],
            },
          },
        },
        status: { phase: "Pending" },
      })
    recorder.tell(claim, {
      reason: "ProvisioningSucceeded",
      message: `Successfully provisioned volume ${made}`,
      component: PROVISIONER,
    })
    take(claim, volume)
  }

  function take(claim: Claim, volume: KeptVolume): void {
    const { name, namespace, uid } = claim.metadata
    const isOurs = volume.metadata.annotations?.[VOLUME_ANNOTATION] !== undefined
    cluster.patch<PersistentVolume>(VOLUMES, volume, (now) => ({
      ...now,
      metadata: {
        ...now.metadata,
        annotations: {
          ...now.metadata.annotations,
          [BOUND_BY]: "yes",
          ...(!isOurs && volumeOfPath(volume)),
        },
      },
      spec: { ...now.spec, claimRef: { kind: "PersistentVolumeClaim", apiVersion: "v1", name, namespace, uid } },
    }))
    const path = volume.spec?.hostPath?.path ?? volume.spec?.local?.path
    if (!isOurs && path !== undefined)
      void volumes
        .create({ name: `kube-pv-${volume.metadata.name}`, options: { type: "none", o: "bind", device: path } })
        .catch(() => {})
    phase(volume, "Bound")
    cluster.patch<PersistentVolumeClaim>(CLAIMS, claim, (now) => ({
      ...now,
      metadata: {
        ...now.metadata,
        annotations: { ...now.metadata.annotations, [BIND_COMPLETED]: "yes", [BOUND_BY]: "yes" },
      },
      spec: {
        ...now.spec,
        volumeName: volume.metadata.name,
        storageClassName: now.spec?.storageClassName ?? volume.spec?.storageClassName ?? "",
      },
    }))
    keepBound(claim, volume.metadata.name)
  }

  function keepBound(claim: Claim, name: string): void {
    const volume = cluster.find<PersistentVolume>(VOLUMES, name)
    if (volume === undefined) {
      if (claim.status?.phase === "Bound")
        cluster.patchStatus<PersistentVolumeClaim>(CLAIMS, claim, ({ status }) => ({ ...status, phase: "Lost" }))
      return
    }
    if (volume.spec?.claimRef?.uid !== claim.metadata.uid) {
      if (fitsClaim(volume, claim, volume.spec?.storageClassName ?? "")) take(claim, volume)
      return
    }
    cluster.patchStatus<PersistentVolumeClaim>(CLAIMS, claim, ({ status }) => ({
      ...status,
      phase: "Bound",
      accessModes: volume.spec?.accessModes,
      capacity: volume.spec?.capacity,
    }))
  }

  /** Once no pod uses it any more. */
  function letGo(claim: Claim): void {
    const { name, namespace } = claim.metadata
    const isUsed = cluster
      .list<Pod>("pods", namespace)
      .some(
        (pod) =>
          !isFinished(pod) &&
          pod.spec?.volumes?.some(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === name),
      )
    if (!isUsed) withoutFinalizers(CLAIMS, claim, CLAIM_PROTECTION)
  }

  function addFinalizer(resource: string, object: Pick<Claim, "metadata">, finalizer: string): void {
    cluster.patch<PersistentVolumeClaim>(resource, object, (now) => ({
      ...now,
      metadata: { ...now.metadata, finalizers: [...(now.metadata.finalizers ?? []), finalizer] },
    }))
  }

  function withoutFinalizers(resource: string, object: Pick<Claim, "metadata">, finalizer: string): void {
    if (!object.metadata.finalizers?.includes(finalizer)) return
    cluster.patch<PersistentVolumeClaim>(resource, object, (now) => ({
      ...now,
      metadata: { ...now.metadata, finalizers: (now.metadata.finalizers ?? []).filter((one) => one !== finalizer) },
    }))
  }

  /** What a cluster on one machine has from the first. */
  function keepClass(): void {
    if (cluster.find<StorageClass>(CLASSES, LOCAL_CLASS) !== undefined) return
    const hasDefault = cluster
      .list<StorageClass>(CLASSES)
      .some(({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === "true")
    cluster.create<StorageClass>(CLASSES, {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name: LOCAL_CLASS, ...(!hasDefault && { annotations: { [DEFAULT_CLASS]: "true" } }) },
      provisioner: PROVISIONER,
      reclaimPolicy: "Delete",
      volumeBindingMode: "WaitForFirstConsumer",
    })
  }
}

/** A volume at a path of the host is one of the engine's that binds it. */
function volumeOfPath({ metadata, spec }: KeptVolume): Record<string, string> {
  return (spec?.hostPath ?? spec?.local) ? { [VOLUME_ANNOTATION]: `kube-pv-${metadata.name}` } : {}
}

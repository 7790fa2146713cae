import { at, listAt, textAt, treeAt, type Tree } from "../../field.ts"
import type { KubeObjects, StoredObject } from "../../objects/objects.ts"
import { fill, under } from "../defaults/fill.ts"
import { forbidden, trees } from "./forbidden.ts"

/** Where client libraries look for whom they are. */
const TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
/** As kube-apiserver has it: an hour, and seven seconds by which such tokens are known from asked ones. */
const TOKEN_SECONDS = 3607
/** The ConfigMap of each namespace with the certificate of the API's authority. */
export const ROOT_AUTHORITY = "kube-root-ca.crt"
const LETTERS = "bcdfghjklmnpqrstvwxz2456789"

/**
 * Whom a pod's programs are to the API (plugin ServiceAccount): its account, that must be there; the account's pull secrets; and, unless it or the account
 * says no, a volume with a token, the authority's certificate and the namespace in each container. Throws PermissionDenied.
 */
export function useServiceAccount(objects: KubeObjects, pod: StoredObject): void {
  const spec = under(pod, "spec")
  const { namespace = "default" } = pod.metadata
  fill(spec, { serviceAccountName: "default" })
  fill(spec, { serviceAccount: spec["serviceAccountName"] })
  const name = String(spec["serviceAccountName"])
  const account = objects.find("serviceaccounts", name, namespace)
  // the one of each namespace may still be on its way
  if (name !== "default" && account === undefined)
    throw forbidden(pod, `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`)
  const secrets = listAt(account, "imagePullSecrets")
  if (secrets.length > 0 && listAt(spec, "imagePullSecrets").length === 0) spec["imagePullSecrets"] = secrets
  const isMounted = at(spec, "automountServiceAccountToken") ?? at(account, "automountServiceAccountToken") ?? true
  if (isMounted === true) mountToken(spec)
}

function mountToken(spec: Tree): void {
  const containers = ["initContainers", "containers"].flatMap((key) => trees(listAt(spec, key)))
  const without = containers.filter((one) =>
    trees(listAt(one, "volumeMounts")).every((mount) => textAt(mount, "mountPath") !== TOKEN_PATH),
  )
  if (without.length === 0) return
  const name = freeName(spec)
  for (const one of without)
    one["volumeMounts"] = [...listAt(one, "volumeMounts"), { name, readOnly: true, mountPath: TOKEN_PATH }]
  const namespace = { apiVersion: "v1", fieldPath: "metadata.namespace" }
  spec["volumes"] = [
    ...listAt(spec, "volumes"),
    {
      name,
      projected: {
        defaultMode: 0o644,
        sources: [
          { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: "token" } },
          // optional, other than in a cluster: before anybody has served the API there is none, and the pod runs all the same
          { configMap: { name: ROOT_AUTHORITY, items: [{ key: "ca.crt", path: "ca.crt" }], optional: true } },
          { downwardAPI: { items: [{ path: "namespace", fieldRef: namespace }] } },
        ],
      },
    },
  ]
}

function freeName(spec: Tree): string {
  const taken = new Set(trees(listAt(spec, "volumes")).map((volume) => textAt(volume, "name")))
  for (;;) {
    const letters = [...crypto.getRandomValues(new Uint8Array(5))].map((byte) => LETTERS[byte % LETTERS.length])
    const name = `kube-api-access-${letters.join("")}`
    if (!taken.has(name)) return name
  }
}

/** Puts the authority's certificate where pods of a namespace read it, in the place of another one. Safe to repeat. */
export function publishAuthority(
  objects: Pick<KubeObjects, "find" | "create" | "patch">,
  namespace: string,
  certificate: string,
): void {
  const data = { "ca.crt": certificate }
  const found = objects.find("configmaps", ROOT_AUTHORITY, namespace)
  if (found === undefined)
    objects.create("configmaps", {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name: ROOT_AUTHORITY,
        namespace,
        annotations: {
          "kubernetes.io/description":
            "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
        },
      },
      data,
    })
  else if (treeAt(found, "data")["ca.crt"] !== certificate)
    objects.patch("configmaps", ROOT_AUTHORITY, namespace, (current) => ({ ...current, data }))
}

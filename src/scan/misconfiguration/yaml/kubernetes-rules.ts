import type { Rule } from "../rule.ts"
import type { YamlView } from "./yaml-view.ts"
import { kubeRule as rule } from "./kube-rule.ts"
import { isFloating } from "../container/container-rules.ts"

/** A container of a pod, with the pod's own settings behind it. */
export interface KubeContainer {
  name: string
  container: YamlView
  pod: YamlView
  /** That the pod is in. */
  object: YamlView
}

/** What breaks a rule, and where. */
export interface KubeFault {
  message: string
  at: YamlView
}

/** A rule on each container of a workload. */
export interface ContainerCheck extends Rule {
  check(container: KubeContainer): KubeFault[]
}

/** A rule on a workload's pod, or on a whole object. */
export interface ObjectCheck extends Rule {
  check(view: YamlView, object: YamlView): KubeFault[]
}

const fault = (isWrong: boolean, message: string, at: YamlView): KubeFault[] => (isWrong ? [{ message, at }] : [])
/** The container's own word, else the pod's. */
const security = ({ container, pod }: KubeContainer, key: string) =>
  container.get("securityContext", key) ?? pod.get("securityContext", key)
const drops = ({ container }: KubeContainer) =>
  (container.get("securityContext", "capabilities", "drop")?.items ?? []).map(({ text = "" }) => text.toUpperCase())
const adds = ({ container }: KubeContainer) => container.get("securityContext", "capabilities", "add")?.items ?? []
/** Pod Security Standards, baseline: what may be added. */
const BASELINE = new Set(
  "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT".split(
    " ",
  ),
)

/** By Trivy's numbers. */
export const CONTAINER_CHECKS: readonly ContainerCheck[] = [
  {
    ...rule(1, "medium", "processes may gain privileges", "set securityContext.allowPrivilegeEscalation to false"),
    check: (one) =>
      fault(
        !(one.container.get("securityContext", "allowPrivilegeEscalation")?.isFalse ?? false),
        "securityContext.allowPrivilegeEscalation is not false",
        one.container.get("securityContext") ?? one.container,
      ),
  },
  {
    ...rule(3, "low", "capabilities are not dropped", "add ALL to securityContext.capabilities.drop"),
    check: (one) => fault(!drops(one).includes("ALL"), "securityContext.capabilities.drop lacks ALL", one.container),
  },
  {
    ...rule(5, "high", "SYS_ADMIN is added", "remove SYS_ADMIN: it is nearly root on the host"),
    check: (one) =>
      adds(one)
        .filter(({ text = "" }) => /^(?:CAP_)?SYS_ADMIN$/i.test(text))
        .map((at) => ({ message: "SYS_ADMIN is added", at })),
  },
  {
    ...rule(11, "low", "CPU is not limited", "set resources.limits.cpu"),
    check: ({ container }) =>
      fault(!container.get("resources", "limits", "cpu"), "resources.limits.cpu is not set", container),
  },
  {
    ...rule(12, "medium", "may run as root", "set securityContext.runAsNonRoot to true"),
    check: (one) =>
      fault(
        !(security(one, "runAsNonRoot")?.isTrue ?? false),
        "securityContext.runAsNonRoot is not true",
        one.container.get("securityContext") ?? one.container,
      ),
  },
  {
    ...rule(13, "medium", "image is not pinned", "name a version or a digest"),
    check: ({ container }) => {
      const image = container.get("image")
      return image?.text !== undefined && isFloating(image.text)
        ? [{ message: `the image is ${image.text}`, at: image }]
        : []
    },
  },
  {
    ...rule(14, "high", "root file system is writable", "set securityContext.readOnlyRootFilesystem to true"),
    check: ({ container }) =>
      fault(
        !(container.get("securityContext", "readOnlyRootFilesystem")?.isTrue ?? false),
        "securityContext.readOnlyRootFilesystem is not true",
        container.get("securityContext") ?? container,
      ),
  },
  {
    ...rule(15, "low", "no CPU is requested", "set resources.requests.cpu, so that the scheduler knows"),
    check: ({ container }) =>
      fault(!container.get("resources", "requests", "cpu"), "resources.requests.cpu is not set", container),
  },
  {
    ...rule(16, "low", "no memory is requested", "set resources.requests.memory, so that the scheduler knows"),
    check: ({ container }) =>
      fault(!container.get("resources", "requests", "memory"), "resources.requests.memory is not set", container),
  },
  {
    ...rule(17, "high", "container is privileged", "set securityContext.privileged to false"),
    check: ({ container }) => {
      const at = container.get("securityContext", "privileged")
      return at?.isTrue ? [{ message: "securityContext.privileged is true", at }] : []
    },
  },
  {
    ...rule(18, "low", "memory is not limited", "set resources.limits.memory"),
    check: ({ container }) =>
      fault(!container.get("resources", "limits", "memory"), "resources.limits.memory is not set", container),
  },
  {
    ...rule(
      20,
      "low",
      "user id is low",
      "set securityContext.runAsUser to more than 10000, which no user of the host has",
    ),
    check: (one) => lowId(one, "runAsUser"),
  },
  {
    ...rule(
      21,
      "low",
      "group id is low",
      "set securityContext.runAsGroup to more than 10000, which no group of the host has",
    ),
    check: (one) => lowId(one, "runAsGroup"),
  },
  {
    ...rule(
      22,
      "medium",
      "capabilities beyond the usual are added",
      "leave them out of securityContext.capabilities.add",
    ),
    check: (one) =>
      adds(one)
        .filter(({ text = "" }) => !BASELINE.has(text.toUpperCase().replace(/^CAP_/, "")))
        .map((at) => ({ message: `${at.text ?? ""} is added`, at })),
  },
  {
    ...rule(24, "high", "port of the host is taken", "leave out hostPort, and use a Service"),
    check: ({ container }) =>
      (container.get("ports")?.items ?? []).flatMap((port) => {
        const at = port.get("hostPort")
        return at === undefined || at.number === 0 ? [] : [{ message: `hostPort is ${at.text ?? ""}`, at }]
      }),
  },
  {
    ...rule(27, "medium", "/proc is not masked", "leave out securityContext.procMount"),
    check: ({ container }) => {
      const at = container.get("securityContext", "procMount")
      return at?.text === "Unmasked" ? [{ message: "securityContext.procMount is Unmasked", at }] : []
    },
  },
  {
    ...rule(
      30,
      "low",
      "no filter of system calls is named",
      "set securityContext.seccompProfile.type to RuntimeDefault",
    ),
    check: (one) => {
      const type = security(one, "seccompProfile")?.get("type")?.text
      return fault(
        type !== "RuntimeDefault" && type !== "Localhost",
        "securityContext.seccompProfile.type is not RuntimeDefault",
        one.container.get("securityContext") ?? one.container,
      )
    },
  },
  {
    ...rule(
      104,
      "medium",
      "the filter of system calls is off",
      "set securityContext.seccompProfile.type to RuntimeDefault",
    ),
    check: (one) => {
      const at = security(one, "seccompProfile")?.get("type")
      if (at === undefined) return [{ message: "securityContext.seccompProfile.type is not set", at: one.container }]
      return at.text === "Unconfined" ? [{ message: "securityContext.seccompProfile.type is Unconfined", at }] : []
    },
  },
  {
    ...rule(105, "low", "runs as user 0", "set securityContext.runAsUser to an ordinary user's id"),
    check: (one) => {
      const at = security(one, "runAsUser")
      return at?.number === 0 ? [{ message: "securityContext.runAsUser is 0", at }] : []
    },
  },
  {
    ...rule(106, "low", "capabilities other than NET_BIND_SERVICE", "drop ALL, and add NET_BIND_SERVICE at most"),
    check: (one) =>
      drops(one).includes("ALL")
        ? adds(one)
            .filter(({ text = "" }) => text.toUpperCase() !== "NET_BIND_SERVICE")
            .map((at) => ({ message: `${at.text ?? ""} is added`, at }))
        : [{ message: "capabilities are not dropped", at: one.container }],
  },
  {
    ...rule(2, "medium", "AppArmor is off", "leave AppArmor's profile at RuntimeDefault"),
    check: ({ name, container, pod, object }) => {
      const annotation = [["metadata"], ["spec", "template", "metadata"]]
        .map((path) => object.get(path[0] ?? "", ...path.slice(1), "annotations"))
        .flatMap((all) => all?.get(`container.apparmor.security.beta.kubernetes.io/${name}`) ?? [])
      const profile =
        container.get("securityContext", "appArmorProfile", "type") ??
        pod.get("securityContext", "appArmorProfile", "type")
      return [...annotation, ...(profile === undefined ? [] : [profile])]
        .filter(({ text = "" }) => /^unconfined$/i.test(text))
        .map((at) => ({ message: "AppArmor's profile is unconfined", at }))
    },
  },
  {
    ...rule(102, "critical", "Tiller runs", "move to Helm 3, which has no Tiller: whoever reaches it is administrator"),
    check: ({ container }) => {
      const at = container.get("image")
      return at?.text !== undefined && /(?:^|\/)tiller(?:[:@]|$)/.test(at.text)
        ? [{ message: `the image is ${at.text}`, at }]
        : []
    },
  },
  {
    ...rule(103, "medium", "process of the Windows host", "leave out windowsOptions.hostProcess"),
    check: (one) => {
      const at = security(one, "windowsOptions")?.get("hostProcess")
      return at?.isTrue ? [{ message: "windowsOptions.hostProcess is true", at }] : []
    },
  },
]

function lowId(one: KubeContainer, key: string): KubeFault[] {
  const at = security(one, key)
  const id = at?.number
  return fault(id === undefined || id <= 10_000, `securityContext.${key} is ${id ?? "not set"}`, at ?? one.container)
}

/** Pod Security Standards, restricted; a hostPath has a rule of its own. */
const VOLUMES = new Set(
  "configMap csi downwardAPI emptyDir ephemeral persistentVolumeClaim projected secret hostPath".split(" "),
)
/** Lists of a pod's containers. */
export const CONTAINER_LISTS = ["initContainers", "containers", "ephemeralContainers"] as const

const SAFE_SYSCTLS = new Set([
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
])

const isSet = (number: number, key: string, title: string): ObjectCheck => ({
  ...rule(number, "high", title, `leave out ${key}`),
  check: (pod) => {
    const at = pod.get(key)
    return at?.isTrue ? [{ message: `${key} is true`, at }] : []
  },
})

/** On the pod of a workload. */
export const POD_CHECKS: readonly ObjectCheck[] = [
  isSet(8, "hostIPC", "pod has the host's IPC"),
  isSet(9, "hostNetwork", "pod has the host's network"),
  isSet(10, "hostPID", "pod sees the host's processes"),
  {
    ...rule(6, "high", "the engine's socket is mounted", "do not mount it: who has it is root on the node"),
    check: (pod) =>
      hostPaths(pod)
        .filter(({ text = "" }) => /\/(?:docker|containerd|crio|podman)\.sock$/.test(text))
        .map((at) => ({ message: `hostPath is ${at.text ?? ""}`, at })),
  },
  {
    ...rule(23, "medium", "directory of the node is mounted", "use another kind of volume than hostPath"),
    check: (pod) => hostPaths(pod).map((at) => ({ message: `hostPath is ${at.text ?? ""}`, at })),
  },
  {
    ...rule(7, "low", "the pod's /etc/hosts is its own", "leave out hostAliases, and use DNS"),
    check: (pod) => {
      const at = pod.get("hostAliases")
      return at !== undefined && at.items.length > 0 ? [{ message: "hostAliases is set", at }] : []
    },
  },
  {
    ...rule(28, "low", "volume of an unusual kind", "use configMap, secret, projected, emptyDir or a claim"),
    check: (pod) =>
      (pod.get("volumes")?.items ?? []).flatMap((volume) =>
        volume.entries
          .filter(([kind]) => kind !== "name" && !VOLUMES.has(kind))
          .map(([kind, at]) => ({ message: `a volume is a ${kind}`, at })),
      ),
  },
  {
    ...rule(116, "low", "group of root", "set groups above 0"),
    check: (pod) =>
      [pod, ...CONTAINER_LISTS.flatMap((list) => pod.get(list)?.items ?? [])].flatMap((view) => {
        const context = view.get("securityContext")
        const groups = [
          context?.get("runAsGroup"),
          context?.get("fsGroup"),
          ...(context?.get("supplementalGroups")?.items ?? []),
        ]
        return groups.flatMap((at) => (at?.number === 0 ? [{ message: "a group is 0", at }] : []))
      }),
  },
  {
    ...rule(25, "medium", "SELinux options are its own", "leave out seLinuxOptions' user, role and unusual types"),
    check: (pod) => {
      const options = pod.get("securityContext", "seLinuxOptions")
      const at = options?.get("user") ?? options?.get("role")
      const type = options?.get("type")
      if (at?.text) return [{ message: `seLinuxOptions has ${at.text}`, at }]
      return type?.text && !/^container(?:_init|_kvm|_engine)?_t$/.test(type.text)
        ? [{ message: `seLinuxOptions.type is ${type.text}`, at: type }]
        : []
    },
  },
  {
    ...rule(26, "medium", "unsafe sysctl", "leave it out: it is the node's as well"),
    check: (pod) =>
      (pod.get("securityContext", "sysctls")?.items ?? []).flatMap((one) => {
        const at = one.get("name")
        return at?.text !== undefined && !SAFE_SYSCTLS.has(at.text) ? [{ message: `the sysctl ${at.text}`, at }] : []
      }),
  },
  {
    ...rule(
      36,
      "medium",
      "token of the service account is mounted",
      "set automountServiceAccountToken to false where the API is not used",
    ),
    check: (pod) =>
      fault(
        !(pod.get("automountServiceAccountToken")?.isFalse ?? false),
        "automountServiceAccountToken is not false",
        pod.get("automountServiceAccountToken") ?? pod,
      ),
  },
  {
    ...rule(37, "medium", "workload in kube-system", "use a namespace of its own"),
    check: (_pod, object) => {
      const at = object.get("metadata", "namespace")
      return at?.text === "kube-system" ? [{ message: "the namespace is kube-system", at }] : []
    },
  },
  {
    ...rule(110, "low", "workload in the default namespace", "use a namespace of its own"),
    check: (_pod, object) => {
      const at = object.get("metadata", "namespace")
      return fault(at === undefined || at.text === "default", "the namespace is default", at ?? object)
    },
  },
]

function hostPaths(pod: YamlView): YamlView[] {
  return (pod.get("volumes")?.items ?? []).flatMap((volume) => volume.get("hostPath", "path") ?? [])
}

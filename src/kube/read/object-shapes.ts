/**
 * Fields of the objects that a node makes something of (Kubernetes 1.34, api/core/v1 and its neighbours), as `name…:type`. Types:
 * `string`, `integer`, `boolean`, `quantity`, `intOrString`, `any`, another shape, `[]type`, `{}type` for a map of texts.
 */
const SHAPES = {
  Pod: "apiVersion kind:string metadata:Metadata spec:PodSpec status:any",
  Deployment: "apiVersion kind:string metadata:Metadata spec:DeploymentSpec status:any",
  DeploymentSpec:
    "replicas minReadySeconds progressDeadlineSeconds revisionHistoryLimit:integer paused:boolean selector strategy:any template:PodTemplate",
  DaemonSet: "apiVersion kind:string metadata:Metadata spec:DaemonSetSpec status:any",
  DaemonSetSpec: "minReadySeconds revisionHistoryLimit:integer selector updateStrategy:any template:PodTemplate",
  Job: "apiVersion kind:string metadata:Metadata spec:JobSpec status:any",
  JobSpec:
    "activeDeadlineSeconds backoffLimit backoffLimitPerIndex completions maxFailedIndexes parallelism ttlSecondsAfterFinished:integer completionMode managedBy podReplacementPolicy:string manualSelector suspend:boolean podFailurePolicy selector successPolicy:any template:PodTemplate",
  PodTemplate: "metadata:Metadata spec:PodSpec",
  PersistentVolumeClaim: "apiVersion kind:string metadata:Metadata spec:ClaimSpec status:any",
  ClaimSpec:
    "accessModes:[]string dataSource dataSourceRef selector:any resources:Resources storageClassName volumeAttributesClassName volumeMode volumeName:string",
  ConfigMap: "apiVersion kind:string metadata:Metadata data:{}string binaryData:{}string immutable:boolean",
  Secret: "apiVersion kind type:string metadata:Metadata data stringData:{}string immutable:boolean",
  Metadata:
    "annotations labels:{}string creationTimestamp deletionTimestamp generateName name namespace resourceVersion selfLink uid:string deletionGracePeriodSeconds generation:integer finalizers:[]string managedFields ownerReferences:any",
  PodSpec:
    "activeDeadlineSeconds priority terminationGracePeriodSeconds:integer affinity ephemeralContainers readinessGates resourceClaims schedulingGates tolerations topologySpreadConstraints workloadRef:any automountServiceAccountToken enableServiceLinks hostIPC hostNetwork hostPID hostUsers setHostnameAsFQDN shareProcessNamespace:boolean containers initContainers:[]Container dnsConfig:DnsConfig dnsPolicy hostname hostnameOverride nodeName preemptionPolicy priorityClassName restartPolicy runtimeClassName schedulerName serviceAccount serviceAccountName subdomain:string hostAliases:[]HostAlias imagePullSecrets:[]Name nodeSelector:{}string os:Name overhead:{}quantity resources:Resources securityContext:PodSecurityContext volumes:[]Volume",
  Name: "name:string",
  DnsConfig: "nameservers searches:[]string options:[]DnsOption",
  DnsOption: "name value:string",
  HostAlias: "hostnames:[]string ip:string",
  Resources: "limits requests:{}quantity claims:any",
  Container:
    "args command:[]string env:[]EnvVar envFrom:[]EnvFrom image imagePullPolicy name restartPolicy terminationMessagePath terminationMessagePolicy workingDir:string lifecycle:Lifecycle livenessProbe readinessProbe startupProbe:Probe ports:[]Port resizePolicy restartPolicyRules:any resources:Resources securityContext:SecurityContext stdin stdinOnce tty:boolean volumeDevices:[]VolumeDevice volumeMounts:[]VolumeMount",
  EnvVar: "name value:string valueFrom:EnvSource",
  EnvSource: "configMapKeyRef secretKeyRef:KeyRef fieldRef:FieldRef resourceFieldRef:ResourceFieldRef fileKeyRef:any",
  KeyRef: "key name:string optional:boolean",
  FieldRef: "apiVersion fieldPath:string",
  ResourceFieldRef: "containerName resource:string divisor:quantity",
  EnvFrom: "configMapRef secretRef:OptionalRef prefix:string",
  OptionalRef: "name:string optional:boolean",
  Lifecycle: "postStart preStop:Handler stopSignal:string",
  Handler: "exec:ExecAction httpGet:HttpGet sleep:Sleep tcpSocket:TcpSocket",
  Sleep: "seconds:integer",
  ExecAction: "command:[]string",
  HttpGet: "host path scheme:string httpHeaders:[]HttpHeader port:intOrString",
  HttpHeader: "name value:string",
  TcpSocket: "host:string port:intOrString",
  Grpc: "port:integer service:string",
  Probe:
    "exec:ExecAction httpGet:HttpGet tcpSocket:TcpSocket grpc:Grpc failureThreshold initialDelaySeconds periodSeconds successThreshold terminationGracePeriodSeconds timeoutSeconds:integer",
  Port: "containerPort hostPort:integer hostIP name protocol:string",
  PodSecurityContext:
    "appArmorProfile seccompProfile:Profile fsGroup runAsGroup runAsUser:integer fsGroupChangePolicy seLinuxChangePolicy supplementalGroupsPolicy:string runAsNonRoot:boolean seLinuxOptions:SelinuxOptions supplementalGroups:[]integer sysctls:[]Sysctl windowsOptions:any",
  SecurityContext:
    "allowPrivilegeEscalation privileged readOnlyRootFilesystem runAsNonRoot:boolean appArmorProfile seccompProfile:Profile capabilities:Capabilities procMount:string runAsGroup runAsUser:integer seLinuxOptions:SelinuxOptions windowsOptions:any",
  Profile: "localhostProfile type:string",
  // `filetype` is podman's own
  SelinuxOptions: "level role type user filetype:string",
  Sysctl: "name value:string",
  Capabilities: "add drop:[]string",
  VolumeDevice: "devicePath name:string",
  VolumeMount: "mountPath mountPropagation name recursiveReadOnly subPath subPathExpr:string readOnly:boolean",
  Volume:
    "name:string configMap:ConfigMapVolume downwardAPI:DownwardVolume emptyDir:EmptyDir hostPath:HostPath image:ImageVolume persistentVolumeClaim:ClaimVolume projected:ProjectedVolume secret:SecretVolume awsElasticBlockStore azureDisk azureFile cephfs cinder csi ephemeral fc flexVolume flocker gcePersistentDisk gitRepo glusterfs iscsi nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume:any",
  ConfigMapVolume: "defaultMode:integer items:[]KeyToPath name:string optional:boolean",
  SecretVolume: "defaultMode:integer items:[]KeyToPath secretName:string optional:boolean",
  KeyToPath: "key path:string mode:integer",
  DownwardVolume: "defaultMode:integer items:[]DownwardFile",
  DownwardFile: "fieldRef:FieldRef resourceFieldRef:ResourceFieldRef mode:integer path:string",
  EmptyDir: "medium:string sizeLimit:quantity",
  HostPath: "path type:string",
  ImageVolume: "pullPolicy reference:string",
  ClaimVolume: "claimName:string readOnly:boolean",
  ProjectedVolume: "defaultMode:integer sources:[]Projection",
  Projection:
    "configMap secret:Projected downwardAPI:DownwardItems serviceAccountToken clusterTrustBundle podCertificate:any",
  Projected: "items:[]KeyToPath name:string optional:boolean",
  DownwardItems: "items:[]DownwardFile",
} as const

/** One of them. */
export type ShapeName = keyof typeof SHAPES

const parsed = new Map<string, ReadonlyMap<string, string>>()

/** Whether a type is one of the shapes. */
export function isShape(type: string): type is ShapeName {
  return Object.hasOwn(SHAPES, type)
}

/** Types of its fields by name. */
export function fieldsOf(name: ShapeName): ReadonlyMap<string, string> {
  const known = parsed.get(name)
  if (known) return known
  const fields = new Map<string, string>()
  let names: string[] = []
  for (const word of SHAPES[name].split(" ")) {
    const [field = "", type] = word.split(":", 2)
    names.push(field)
    if (type === undefined) continue
    for (const one of names) fields.set(one, type)
    names = []
  }
  parsed.set(name, fields)
  return fields
}

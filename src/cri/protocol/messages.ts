/** Made by scripts/cri-protocol.ts of the CRI's api.proto (Kubernetes, Apache-2.0); not to be edited. */

/** Its calls: what is asked, what is answered, and whether in many messages. */
export interface RuntimeServiceCalls {
  Version: { request: VersionRequest; response: VersionResponse; isStream: false }
  RunPodSandbox: { request: RunPodSandboxRequest; response: RunPodSandboxResponse; isStream: false }
  StopPodSandbox: { request: StopPodSandboxRequest; response: StopPodSandboxResponse; isStream: false }
  RemovePodSandbox: { request: RemovePodSandboxRequest; response: RemovePodSandboxResponse; isStream: false }
  PodSandboxStatus: { request: PodSandboxStatusRequest; response: PodSandboxStatusResponse; isStream: false }
  ListPodSandbox: { request: ListPodSandboxRequest; response: ListPodSandboxResponse; isStream: false }
  StreamPodSandboxes: { request: StreamPodSandboxesRequest; response: StreamPodSandboxesResponse; isStream: true }
  CreateContainer: { request: CreateContainerRequest; response: CreateContainerResponse; isStream: false }
  StartContainer: { request: StartContainerRequest; response: StartContainerResponse; isStream: false }
  StopContainer: { request: StopContainerRequest; response: StopContainerResponse; isStream: false }
  RemoveContainer: { request: RemoveContainerRequest; response: RemoveContainerResponse; isStream: false }
  ListContainers: { request: ListContainersRequest; response: ListContainersResponse; isStream: false }
  StreamContainers: { request: StreamContainersRequest; response: StreamContainersResponse; isStream: true }
  ContainerStatus: { request: ContainerStatusRequest; response: ContainerStatusResponse; isStream: false }
  UpdateContainerResources: {
    request: UpdateContainerResourcesRequest
    response: UpdateContainerResourcesResponse
    isStream: false
  }
  ReopenContainerLog: { request: ReopenContainerLogRequest; response: ReopenContainerLogResponse; isStream: false }
  ExecSync: { request: ExecSyncRequest; response: ExecSyncResponse; isStream: false }
  Exec: { request: ExecRequest; response: ExecResponse; isStream: false }
  Attach: { request: AttachRequest; response: AttachResponse; isStream: false }
  PortForward: { request: PortForwardRequest; response: PortForwardResponse; isStream: false }
  ContainerStats: { request: ContainerStatsRequest; response: ContainerStatsResponse; isStream: false }
  ListContainerStats: { request: ListContainerStatsRequest; response: ListContainerStatsResponse; isStream: false }
  StreamContainerStats: { request: StreamContainerStatsRequest; response: StreamContainerStatsResponse; isStream: true }
  PodSandboxStats: { request: PodSandboxStatsRequest; response: PodSandboxStatsResponse; isStream: false }
  ListPodSandboxStats: { request: ListPodSandboxStatsRequest; response: ListPodSandboxStatsResponse; isStream: false }
  StreamPodSandboxStats: {
    request: StreamPodSandboxStatsRequest
    response: StreamPodSandboxStatsResponse
    isStream: true
  }
  UpdateRuntimeConfig: { request: UpdateRuntimeConfigRequest; response: UpdateRuntimeConfigResponse; isStream: false }
  Status: { request: StatusRequest; response: StatusResponse; isStream: false }
  CheckpointContainer: { request: CheckpointContainerRequest; response: CheckpointContainerResponse; isStream: false }
  GetContainerEvents: { request: GetEventsRequest; response: ContainerEventResponse; isStream: true }
  ListMetricDescriptors: {
    request: ListMetricDescriptorsRequest
    response: ListMetricDescriptorsResponse
    isStream: false
  }
  ListPodSandboxMetrics: {
    request: ListPodSandboxMetricsRequest
    response: ListPodSandboxMetricsResponse
    isStream: false
  }
  StreamPodSandboxMetrics: {
    request: StreamPodSandboxMetricsRequest
    response: StreamPodSandboxMetricsResponse
    isStream: true
  }
  RuntimeConfig: { request: RuntimeConfigRequest; response: RuntimeConfigResponse; isStream: false }
  UpdatePodSandboxResources: {
    request: UpdatePodSandboxResourcesRequest
    response: UpdatePodSandboxResourcesResponse
    isStream: false
  }
}

/** Its calls: what is asked, what is answered, and whether in many messages. */
export interface ImageServiceCalls {
  ListImages: { request: ListImagesRequest; response: ListImagesResponse; isStream: false }
  StreamImages: { request: StreamImagesRequest; response: StreamImagesResponse; isStream: true }
  ImageStatus: { request: ImageStatusRequest; response: ImageStatusResponse; isStream: false }
  PullImage: { request: PullImageRequest; response: PullImageResponse; isStream: false }
  RemoveImage: { request: RemoveImageRequest; response: RemoveImageResponse; isStream: false }
  ImageFsInfo: { request: ImageFsInfoRequest; response: ImageFsInfoResponse; isStream: false }
}

export interface VersionRequest {
  version: string
}

export interface VersionResponse {
  version: string
  runtime_name: string
  runtime_version: string
  runtime_api_version: string
}

export interface DNSConfig {
  servers: readonly string[]
  searches: readonly string[]
  options: readonly string[]
}

export type Protocol = "TCP" | "UDP" | "SCTP"

export interface PortMapping {
  protocol: Protocol
  container_port: number
  host_port: number
  host_ip: string
}

export type MountPropagation = "PROPAGATION_PRIVATE" | "PROPAGATION_HOST_TO_CONTAINER" | "PROPAGATION_BIDIRECTIONAL"

export interface Mount {
  container_path: string
  host_path: string
  readonly: boolean
  selinux_relabel: boolean
  propagation: MountPropagation
  uidMappings: readonly IDMapping[]
  gidMappings: readonly IDMapping[]
  recursive_read_only: boolean
  image: ImageSpec | null
  image_sub_path: string
}

export interface IDMapping {
  host_id: number
  container_id: number
  length: number
}

export type NamespaceMode = "POD" | "CONTAINER" | "NODE" | "TARGET"

export interface UserNamespace {
  mode: NamespaceMode
  uids: readonly IDMapping[]
  gids: readonly IDMapping[]
}

export interface NamespaceOption {
  network: NamespaceMode
  pid: NamespaceMode
  ipc: NamespaceMode
  target_id: string
  userns_options: UserNamespace | null
}

export type SupplementalGroupsPolicy = "Merge" | "Strict"

export interface Int64Value {
  value: string
}

export interface LinuxSandboxSecurityContext {
  namespace_options: NamespaceOption | null
  selinux_options: SELinuxOption | null
  run_as_user: Int64Value | null
  run_as_group: Int64Value | null
  readonly_rootfs: boolean
  supplemental_groups: readonly string[]
  supplemental_groups_policy: SupplementalGroupsPolicy
  privileged: boolean
  seccomp: SecurityProfile | null
  apparmor: SecurityProfile | null
  seccomp_profile_path: string
}

export interface SecurityProfile {
  profile_type: ProfileType
  localhost_ref: string
}

export type ProfileType = "RuntimeDefault" | "Unconfined" | "Localhost"

export interface LinuxPodSandboxConfig {
  cgroup_parent: string
  security_context: LinuxSandboxSecurityContext | null
  sysctls: Readonly<Record<string, string>>
  overhead: LinuxContainerResources | null
  resources: LinuxContainerResources | null
}

export interface PodSandboxMetadata {
  name: string
  uid: string
  namespace: string
  attempt: number
}

export interface PodSandboxConfig {
  metadata: PodSandboxMetadata | null
  hostname: string
  log_directory: string
  dns_config: DNSConfig | null
  port_mappings: readonly PortMapping[]
  labels: Readonly<Record<string, string>>
  annotations: Readonly<Record<string, string>>
  linux: LinuxPodSandboxConfig | null
  windows: WindowsPodSandboxConfig | null
}

export interface RunPodSandboxRequest {
  config: PodSandboxConfig | null
  runtime_handler: string
}

export interface RunPodSandboxResponse {
  pod_sandbox_id: string
}

export interface StopPodSandboxRequest {
  pod_sandbox_id: string
}

export type StopPodSandboxResponse = Readonly<Record<string, never>>

export interface RemovePodSandboxRequest {
  pod_sandbox_id: string
}

export type RemovePodSandboxResponse = Readonly<Record<string, never>>

export interface PodSandboxStatusRequest {
  pod_sandbox_id: string
  verbose: boolean
}

export interface PodIP {
  ip: string
}

export interface PodSandboxNetworkStatus {
  ip: string
  additional_ips: readonly PodIP[]
}

export interface Namespace {
  options: NamespaceOption | null
}

export interface LinuxPodSandboxStatus {
  namespaces: Namespace | null
}

export type PodSandboxState = "SANDBOX_READY" | "SANDBOX_NOTREADY"

export interface PodSandboxStatus {
  id: string
  metadata: PodSandboxMetadata | null
  state: PodSandboxState
  created_at: string
  network: PodSandboxNetworkStatus | null
  linux: LinuxPodSandboxStatus | null
  labels: Readonly<Record<string, string>>
  annotations: Readonly<Record<string, string>>
  runtime_handler: string
}

export interface PodSandboxStatusResponse {
  status: PodSandboxStatus | null
  info: Readonly<Record<string, string>>
  containers_statuses: readonly ContainerStatus[]
  timestamp: string
}

export interface PodSandboxStateValue {
  state: PodSandboxState
}

export interface PodSandboxFilter {
  id: string
  state: PodSandboxStateValue | null
  label_selector: Readonly<Record<string, string>>
}

export interface ListPodSandboxRequest {
  filter: PodSandboxFilter | null
}

export interface PodSandbox {
  id: string
  metadata: PodSandboxMetadata | null
  state: PodSandboxState
  created_at: string
  labels: Readonly<Record<string, string>>
  annotations: Readonly<Record<string, string>>
  runtime_handler: string
}

export interface ListPodSandboxResponse {
  items: readonly PodSandbox[]
}

export interface StreamPodSandboxesRequest {
  filter: PodSandboxFilter | null
}

export interface StreamPodSandboxesResponse {
  pod_sandboxes: readonly PodSandbox[]
}

export interface PodSandboxStatsRequest {
  pod_sandbox_id: string
}

export interface PodSandboxStatsResponse {
  stats: PodSandboxStats | null
}

export interface PodSandboxStatsFilter {
  id: string
  label_selector: Readonly<Record<string, string>>
}

export interface ListPodSandboxStatsRequest {
  filter: PodSandboxStatsFilter | null
}

export interface ListPodSandboxStatsResponse {
  stats: readonly PodSandboxStats[]
}

export interface StreamPodSandboxStatsRequest {
  filter: PodSandboxStatsFilter | null
}

export interface StreamPodSandboxStatsResponse {
  pod_sandbox_stats: readonly PodSandboxStats[]
}

export interface PodSandboxAttributes {
  id: string
  metadata: PodSandboxMetadata | null
  labels: Readonly<Record<string, string>>
  annotations: Readonly<Record<string, string>>
}

export interface PodSandboxStats {
  attributes: PodSandboxAttributes | null
  linux: LinuxPodSandboxStats | null
  windows: WindowsPodSandboxStats | null
}

export interface LinuxPodSandboxStats {
  cpu: CpuUsage | null
  memory: MemoryUsage | null
  network: NetworkUsage | null
  process: ProcessUsage | null
  containers: readonly ContainerStats[]
  io: IoUsage | null
}

export interface WindowsPodSandboxStats {
  cpu: WindowsCpuUsage | null
  memory: WindowsMemoryUsage | null
  network: WindowsNetworkUsage | null
  process: WindowsProcessUsage | null
  containers: readonly WindowsContainerStats[]
}

export interface NetworkUsage {
  timestamp: string
  default_interface: NetworkInterfaceUsage | null
  interfaces: readonly NetworkInterfaceUsage[]
}

export interface WindowsNetworkUsage {
  timestamp: string
  default_interface: WindowsNetworkInterfaceUsage | null
  interfaces: readonly WindowsNetworkInterfaceUsage[]
}

export interface NetworkInterfaceUsage {
  name: string
  rx_bytes: UInt64Value | null
  rx_errors: UInt64Value | null
  tx_bytes: UInt64Value | null
  tx_errors: UInt64Value | null
}

export interface WindowsNetworkInterfaceUsage {
  name: string
  rx_bytes: UInt64Value | null
  rx_packets_dropped: UInt64Value | null
  tx_bytes: UInt64Value | null
  tx_packets_dropped: UInt64Value | null
}

export interface ProcessUsage {
  timestamp: string
  process_count: UInt64Value | null
}

export interface WindowsProcessUsage {
  timestamp: string
  process_count: UInt64Value | null
}

export interface ImageSpec {
  image: string
  annotations: Readonly<Record<string, string>>
  user_specified_image: string
  runtime_handler: string
  image_ref: string
}

export interface KeyValue {
  key: string
  value: Uint8Array
}

export interface LinuxContainerResources {
  cpu_period: string
  cpu_quota: string
  cpu_shares: string
  memory_limit_in_bytes: string
  oom_score_adj: string
  cpuset_cpus: string
  cpuset_mems: string
  hugepage_limits: readonly HugepageLimit[]
  unified: Readonly<Record<string, string>>
  memory_swap_limit_in_bytes: string
}

export interface HugepageLimit {
  page_size: string
  limit: string
}

export interface SELinuxOption {
  user: string
  role: string
  type: string
  level: string
}

export interface Capability {
  add_capabilities: readonly string[]
  drop_capabilities: readonly string[]
  add_ambient_capabilities: readonly string[]
}

export interface LinuxContainerSecurityContext {
  capabilities: Capability | null
  privileged: boolean
  namespace_options: NamespaceOption | null
  selinux_options: SELinuxOption | null
  run_as_user: Int64Value | null
  run_as_group: Int64Value | null
  run_as_username: string
  readonly_rootfs: boolean
  supplemental_groups: readonly string[]
  supplemental_groups_policy: SupplementalGroupsPolicy
  no_new_privs: boolean
  masked_paths: readonly string[]
  readonly_paths: readonly string[]
  seccomp: SecurityProfile | null
  apparmor: SecurityProfile | null
  apparmor_profile: string
  seccomp_profile_path: string
}

export interface LinuxContainerConfig {
  resources: LinuxContainerResources | null
  security_context: LinuxContainerSecurityContext | null
}

export interface LinuxContainerUser {
  uid: string
  gid: string
  supplemental_groups: readonly string[]
}

export interface WindowsNamespaceOption {
  network: NamespaceMode
}

export interface WindowsSandboxSecurityContext {
  run_as_username: string
  credential_spec: string
  host_process: boolean
  namespace_options: WindowsNamespaceOption | null
}

export interface WindowsPodSandboxConfig {
  security_context: WindowsSandboxSecurityContext | null
}

export interface WindowsContainerSecurityContext {
  run_as_username: string
  credential_spec: string
  host_process: boolean
}

export interface WindowsContainerConfig {
  resources: WindowsContainerResources | null
  security_context: WindowsContainerSecurityContext | null
}

export interface WindowsContainerResources {
  cpu_shares: string
  cpu_count: string
  cpu_maximum: string
  memory_limit_in_bytes: string
  rootfs_size_in_bytes: string
  affinity_cpus: readonly WindowsCpuGroupAffinity[]
}

export interface WindowsCpuGroupAffinity {
  cpu_mask: string
  cpu_group: number
}

export interface ContainerMetadata {
  name: string
  attempt: number
}

export interface Device {
  container_path: string
  host_path: string
  permissions: string
}

export interface CDIDevice {
  name: string
}

export interface ContainerConfig {
  metadata: ContainerMetadata | null
  image: ImageSpec | null
  command: readonly string[]
  args: readonly string[]
  working_dir: string
  envs: readonly KeyValue[]
  mounts: readonly Mount[]
  devices: readonly Device[]
  labels: Readonly<Record<string, string>>
  annotations: Readonly<Record<string, string>>
  log_path: string
  stdin: boolean
  stdin_once: boolean
  tty: boolean
  linux: LinuxContainerConfig | null
  windows: WindowsContainerConfig | null
  CDI_devices: readonly CDIDevice[]
  stop_signal: Signal
}

export type Signal =
  | "RUNTIME_DEFAULT"
  | "SIGABRT"
  | "SIGALRM"
  | "SIGBUS"
  | "SIGCHLD"
  | "SIGCLD"
  | "SIGCONT"
  | "SIGFPE"
  | "SIGHUP"
  | "SIGILL"
  | "SIGINT"
  | "SIGIO"
  | "SIGIOT"
  | "SIGKILL"
  | "SIGPIPE"
  | "SIGPOLL"
  | "SIGPROF"
  | "SIGPWR"
  | "SIGQUIT"
  | "SIGSEGV"
  | "SIGSTKFLT"
  | "SIGSTOP"
  | "SIGSYS"
  | "SIGTERM"
  | "SIGTRAP"
  | "SIGTSTP"
  | "SIGTTIN"
  | "SIGTTOU"
  | "SIGURG"
  | "SIGUSR1"
  | "SIGUSR2"
  | "SIGVTALRM"
  | "SIGWINCH"
  | "SIGXCPU"
  | "SIGXFSZ"
  | "SIGRTMIN"
  | "SIGRTMINPLUS1"
  | "SIGRTMINPLUS2"
  | "SIGRTMINPLUS3"
  | "SIGRTMINPLUS4"
  | "SIGRTMINPLUS5"
  | "SIGRTMINPLUS6"
  | "SIGRTMINPLUS7"
  | "SIGRTMINPLUS8"
  | "SIGRTMINPLUS9"
  | "SIGRTMINPLUS10"
  | "SIGRTMINPLUS11"
  | "SIGRTMINPLUS12"
  | "SIGRTMINPLUS13"
  | "SIGRTMINPLUS14"
  | "SIGRTMINPLUS15"
  | "SIGRTMAXMINUS14"
  | "SIGRTMAXMINUS13"
  | "SIGRTMAXMINUS12"
  | "SIGRTMAXMINUS11"
  | "SIGRTMAXMINUS10"
  | "SIGRTMAXMINUS9"
  | "SIGRTMAXMINUS8"
  | "SIGRTMAXMINUS7"
  | "SIGRTMAXMINUS6"
  | "SIGRTMAXMINUS5"
  | "SIGRTMAXMINUS4"
  | "SIGRTMAXMINUS3"
  | "SIGRTMAXMINUS2"
  | "SIGRTMAXMINUS1"
  | "SIGRTMAX"

export interface CreateContainerRequest {
  pod_sandbox_id: string
  config: ContainerConfig | null
  sandbox_config: PodSandboxConfig | null
}

export interface CreateContainerResponse {
  container_id: string
}

export interface StartContainerRequest {
  container_id: string
}

export type StartContainerResponse = Readonly<Record<string, never>>

export interface StopContainerRequest {
  container_id: string
  timeout: string
}

export type StopContainerResponse = Readonly<Record<string, never>>

export interface RemoveContainerRequest {
  container_id: string
}

export type RemoveContainerResponse = Readonly<Record<string, never>>

export type ContainerState = "CONTAINER_CREATED" | "CONTAINER_RUNNING" | "CONTAINER_EXITED" | "CONTAINER_UNKNOWN"

export interface ContainerStateValue {
  state: ContainerState
}

export interface ContainerFilter {
  id: string
  state: ContainerStateValue | null
  pod_sandbox_id: string
  label_selector: Readonly<Record<string, string>>
}

export interface ListContainersRequest {
  filter: ContainerFilter | null
}

export interface Container {
  id: string
  pod_sandbox_id: string
  metadata: ContainerMetadata | null
  image: ImageSpec | null
  image_ref: string
  state: ContainerState
  created_at: string
  labels: Readonly<Record<string, string>>
  annotations: Readonly<Record<string, string>>
  image_id: string
}

export interface ListContainersResponse {
  containers: readonly Container[]
}

export interface StreamContainersRequest {
  filter: ContainerFilter | null
}

export interface StreamContainersResponse {
  containers: readonly Container[]
}

export interface ContainerStatusRequest {
  container_id: string
  verbose: boolean
}

export interface ContainerStatus {
  id: string
  metadata: ContainerMetadata | null
  state: ContainerState
  created_at: string
  started_at: string
  finished_at: string
  exit_code: number
  image: ImageSpec | null
  image_ref: string
  reason: string
  message: string
  labels: Readonly<Record<string, string>>
  annotations: Readonly<Record<string, string>>
  mounts: readonly Mount[]
  log_path: string
  resources: ContainerResources | null
  image_id: string
  user: ContainerUser | null
  stop_signal: Signal
}

export interface ContainerStatusResponse {
  status: ContainerStatus | null
  info: Readonly<Record<string, string>>
}

export interface ContainerResources {
  linux: LinuxContainerResources | null
  windows: WindowsContainerResources | null
}

export interface ContainerUser {
  linux: LinuxContainerUser | null
}

export interface UpdateContainerResourcesRequest {
  container_id: string
  linux: LinuxContainerResources | null
  windows: WindowsContainerResources | null
  annotations: Readonly<Record<string, string>>
}

export type UpdateContainerResourcesResponse = Readonly<Record<string, never>>

export interface ExecSyncRequest {
  container_id: string
  cmd: readonly string[]
  timeout: string
}

export interface ExecSyncResponse {
  stdout: Uint8Array
  stderr: Uint8Array
  exit_code: number
}

export interface ExecRequest {
  container_id: string
  cmd: readonly string[]
  tty: boolean
  stdin: boolean
  stdout: boolean
  stderr: boolean
}

export interface ExecResponse {
  url: string
}

export interface AttachRequest {
  container_id: string
  stdin: boolean
  tty: boolean
  stdout: boolean
  stderr: boolean
}

export interface AttachResponse {
  url: string
}

export interface PortForwardRequest {
  pod_sandbox_id: string
  port: readonly number[]
}

export interface PortForwardResponse {
  url: string
}

export interface ImageFilter {
  image: ImageSpec | null
}

export interface ListImagesRequest {
  filter: ImageFilter | null
}

export interface Image {
  id: string
  repo_tags: readonly string[]
  repo_digests: readonly string[]
  size: string
  uid: Int64Value | null
  username: string
  spec: ImageSpec | null
  pinned: boolean
}

export interface ListImagesResponse {
  images: readonly Image[]
}

export interface StreamImagesRequest {
  filter: ImageFilter | null
}

export interface StreamImagesResponse {
  images: readonly Image[]
}

export interface ImageStatusRequest {
  image: ImageSpec | null
  verbose: boolean
}

export interface ImageStatusResponse {
  image: Image | null
  info: Readonly<Record<string, string>>
}

export interface AuthConfig {
  username: string
  password: string
  auth: string
  server_address: string
  identity_token: string
  registry_token: string
}

export interface PullImageRequest {
  image: ImageSpec | null
  auth: AuthConfig | null
  sandbox_config: PodSandboxConfig | null
}

export interface PullImageResponse {
  image_ref: string
}

export interface RemoveImageRequest {
  image: ImageSpec | null
}

export type RemoveImageResponse = Readonly<Record<string, never>>

export interface NetworkConfig {
  pod_cidr: string
}

export interface RuntimeConfig {
  network_config: NetworkConfig | null
}

export interface UpdateRuntimeConfigRequest {
  runtime_config: RuntimeConfig | null
}

export type UpdateRuntimeConfigResponse = Readonly<Record<string, never>>

export interface RuntimeCondition {
  type: string
  status: boolean
  reason: string
  message: string
}

export interface RuntimeStatus {
  conditions: readonly RuntimeCondition[]
}

export interface StatusRequest {
  verbose: boolean
}

export interface RuntimeHandlerFeatures {
  recursive_read_only_mounts: boolean
  user_namespaces: boolean
}

export interface RuntimeHandler {
  name: string
  features: RuntimeHandlerFeatures | null
}

export interface RuntimeFeatures {
  supplemental_groups_policy: boolean
  user_namespaces_host_network: boolean
}

export interface StatusResponse {
  status: RuntimeStatus | null
  info: Readonly<Record<string, string>>
  runtime_handlers: readonly RuntimeHandler[]
  features: RuntimeFeatures | null
}

export type ImageFsInfoRequest = Readonly<Record<string, never>>

export interface UInt64Value {
  value: string
}

export interface FilesystemIdentifier {
  mountpoint: string
}

export interface FilesystemUsage {
  timestamp: string
  fs_id: FilesystemIdentifier | null
  used_bytes: UInt64Value | null
  inodes_used: UInt64Value | null
}

export interface WindowsFilesystemUsage {
  timestamp: string
  fs_id: FilesystemIdentifier | null
  used_bytes: UInt64Value | null
}

export interface ImageFsInfoResponse {
  image_filesystems: readonly FilesystemUsage[]
  container_filesystems: readonly FilesystemUsage[]
}

export interface ContainerStatsRequest {
  container_id: string
}

export interface ContainerStatsResponse {
  stats: ContainerStats | null
}

export interface ListContainerStatsRequest {
  filter: ContainerStatsFilter | null
}

export interface ContainerStatsFilter {
  id: string
  pod_sandbox_id: string
  label_selector: Readonly<Record<string, string>>
}

export interface ListContainerStatsResponse {
  stats: readonly ContainerStats[]
}

export interface StreamContainerStatsRequest {
  filter: ContainerStatsFilter | null
}

export interface StreamContainerStatsResponse {
  container_stats: readonly ContainerStats[]
}

export interface ContainerAttributes {
  id: string
  metadata: ContainerMetadata | null
  labels: Readonly<Record<string, string>>
  annotations: Readonly<Record<string, string>>
}

export interface ContainerStats {
  attributes: ContainerAttributes | null
  cpu: CpuUsage | null
  memory: MemoryUsage | null
  writable_layer: FilesystemUsage | null
  swap: SwapUsage | null
  io: IoUsage | null
}

export interface WindowsContainerStats {
  attributes: ContainerAttributes | null
  cpu: WindowsCpuUsage | null
  memory: WindowsMemoryUsage | null
  writable_layer: WindowsFilesystemUsage | null
}

export interface PsiStats {
  Full: PsiData | null
  Some: PsiData | null
}

export interface PsiData {
  Total: string
  Avg10: number
  Avg60: number
  Avg300: number
}

export interface CpuUsage {
  timestamp: string
  usage_core_nano_seconds: UInt64Value | null
  usage_nano_cores: UInt64Value | null
  psi: PsiStats | null
}

export interface WindowsCpuUsage {
  timestamp: string
  usage_core_nano_seconds: UInt64Value | null
  usage_nano_cores: UInt64Value | null
}

export interface MemoryUsage {
  timestamp: string
  working_set_bytes: UInt64Value | null
  available_bytes: UInt64Value | null
  usage_bytes: UInt64Value | null
  rss_bytes: UInt64Value | null
  page_faults: UInt64Value | null
  major_page_faults: UInt64Value | null
  psi: PsiStats | null
}

export interface IoUsage {
  timestamp: string
  psi: PsiStats | null
}

export interface SwapUsage {
  timestamp: string
  swap_available_bytes: UInt64Value | null
  swap_usage_bytes: UInt64Value | null
}

export interface WindowsMemoryUsage {
  timestamp: string
  working_set_bytes: UInt64Value | null
  available_bytes: UInt64Value | null
  page_faults: UInt64Value | null
  commit_memory_bytes: UInt64Value | null
}

export interface ReopenContainerLogRequest {
  container_id: string
}

export type ReopenContainerLogResponse = Readonly<Record<string, never>>

export interface CheckpointContainerRequest {
  container_id: string
  location: string
  timeout: string
}

export type CheckpointContainerResponse = Readonly<Record<string, never>>

export type GetEventsRequest = Readonly<Record<string, never>>

export interface ContainerEventResponse {
  container_id: string
  container_event_type: ContainerEventType
  created_at: string
  pod_sandbox_status: PodSandboxStatus | null
  containers_statuses: readonly ContainerStatus[]
}

export type ContainerEventType =
  "CONTAINER_CREATED_EVENT" | "CONTAINER_STARTED_EVENT" | "CONTAINER_STOPPED_EVENT" | "CONTAINER_DELETED_EVENT"

export type ListMetricDescriptorsRequest = Readonly<Record<string, never>>

export interface ListMetricDescriptorsResponse {
  descriptors: readonly MetricDescriptor[]
}

export interface MetricDescriptor {
  name: string
  help: string
  label_keys: readonly string[]
}

export type ListPodSandboxMetricsRequest = Readonly<Record<string, never>>

export interface ListPodSandboxMetricsResponse {
  pod_metrics: readonly PodSandboxMetrics[]
}

export type StreamPodSandboxMetricsRequest = Readonly<Record<string, never>>

export interface StreamPodSandboxMetricsResponse {
  pod_sandbox_metrics: readonly PodSandboxMetrics[]
}

export interface PodSandboxMetrics {
  pod_sandbox_id: string
  metrics: readonly Metric[]
  container_metrics: readonly ContainerMetrics[]
}

export interface ContainerMetrics {
  container_id: string
  metrics: readonly Metric[]
}

export interface Metric {
  name: string
  timestamp: string
  metric_type: MetricType
  label_values: readonly string[]
  value: UInt64Value | null
}

export type MetricType = "COUNTER" | "GAUGE"

export type RuntimeConfigRequest = Readonly<Record<string, never>>

export interface RuntimeConfigResponse {
  linux: LinuxRuntimeConfiguration | null
}

export interface LinuxRuntimeConfiguration {
  cgroup_driver: CgroupDriver
}

export type CgroupDriver = "SYSTEMD" | "CGROUPFS"

export interface UpdatePodSandboxResourcesRequest {
  pod_sandbox_id: string
  overhead: LinuxContainerResources | null
  resources: LinuxContainerResources | null
}

export type UpdatePodSandboxResourcesResponse = Readonly<Record<string, never>>

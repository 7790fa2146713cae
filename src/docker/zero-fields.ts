/** Fields of Docker's structs that its JSON leaves out where they are empty: templates may name them all the same. */

/** Of a container. */
export const CONTAINER_ZEROS = {
  State: { Health: null },
  Config: { Healthcheck: null, MacAddress: "", NetworkDisabled: false, OnBuild: null, Shell: null },
  HostConfig: {
    Annotations: new Map(),
    CpuCount: 0,
    CpuPercent: 0,
    DeviceRequests: null,
    IOMaximumBandwidth: 0,
    IOMaximumIOps: 0,
    KernelMemory: 0,
    KernelMemoryTCP: 0,
    MaskedPaths: null,
    Mounts: null,
    ReadonlyPaths: null,
    StorageOpt: new Map(),
  },
  NetworkSettings: { SecondaryIPAddresses: null, SecondaryIPv6Addresses: null },
  SizeRw: null,
  SizeRootFs: null,
}

/** Of an image. */
export const IMAGE_ZEROS = {
  Config: { ExposedPorts: new Map(), Healthcheck: null, Shell: null, StopSignal: "" },
  Container: "",
  ContainerConfig: null,
  OsVersion: "",
  Variant: "",
  Identity: null,
}

/** Of a volume. */
export const VOLUME_ZEROS = { ClusterVolume: null, Status: null, UsageData: null }

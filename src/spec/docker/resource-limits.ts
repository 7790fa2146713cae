/** Limits as docker's flags give them, in the kernel's units. Undefined: no limit. */
export interface ResourceLimits {
  memoryBytes?: number
  /** Memory and swap together; -1: no limit; undefined: twice the memory. */
  memorySwapBytes?: number
  memoryReservationBytes?: number
  /** `memoryReservationBytes` and `cpuShares` are wishes, as Kubernetes' requests are: a host that cannot hold one leaves it out. */
  requestsWherePossible?: true
  /** 0 to 100: how readily the kernel swaps out. */
  memorySwappiness?: number
  /** Cores: 0.5 is half of one. */
  cpus?: number
  cpuShares?: number
  cpuPeriodUs?: number
  cpuQuotaUs?: number
  /** Of the time in which real-time processes may run `cpuRtRuntimeUs`. */
  cpuRtPeriodUs?: number
  cpuRtRuntimeUs?: number
  cpusetCpus?: string
  cpusetMems?: string
  /** Processes and threads; -1: no limit. */
  pidsLimit?: number
  oomKillDisable?: boolean
  /** Relative, 10 to 1000. */
  blkioWeight?: number
  blkioWeightDevices?: readonly DeviceWeight[]
  /** Bytes in a second. */
  deviceReadBps?: readonly DeviceRate[]
  deviceWriteBps?: readonly DeviceRate[]
  /** Operations in a second. */
  deviceReadIops?: readonly DeviceRate[]
  deviceWriteIops?: readonly DeviceRate[]
  hugepages?: readonly HugepageLimit[]
  rdma?: readonly RdmaLimit[]
  /** Files of cgroup v2 and what is written to them: `memory.high`, `67108864`. */
  unified?: Readonly<Record<string, string>>
}

/** A block device's share, where it differs from that of the others. */
export interface DeviceWeight {
  /** `/dev/sda` */
  device: string
  weight: number
}

/** How much of a block device in a second. */
export interface DeviceRate {
  device: string
  rate: number
}

/** Huge pages of one size. */
export interface HugepageLimit {
  /** As the kernel names it: `2MB`, `1GB`. */
  pageSize: string
  limitBytes: number
}

/** Handles and objects of one RDMA device. */
export interface RdmaLimit {
  /** `mlx5_0` */
  device: string
  handles?: number
  objects?: number
}

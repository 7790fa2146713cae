/**
 * Every key of docker's and podman's templates that scripts name is there, in whatever mode: none ends a script by an error.
 *
 * One user is enough.
 */
import { beforeAll, describe, expect, test } from "bun:test"
import { openStore } from "../support/store.ts"

const skiff = openStore()

beforeAll(async () => {
  await skiff.ok("create", "--name", "one", "--label", "a=b", "busybox", "true")
  await skiff.ok("volume", "create", "data")
})

const keys = (text: string) => text.trim().split(/\s+/)

const CONTAINER = keys(`
  Id Created Path Args State.Status State.Running State.Paused State.Restarting State.OOMKilled State.Dead State.Pid State.ExitCode
  State.Error State.StartedAt State.FinishedAt State.Health State.ConmonPid State.OciVersion State.CgroupPath State.CheckpointedAt
  State.RestoredAt Image ImageName ImageDigest Rootfs Pod ResolvConfPath HostnamePath HostsPath StaticDir OCIConfigPath OCIRuntime
  ConmonPidFile PidFile LogPath Name RestartCount Driver Platform MountLabel ProcessLabel AppArmorProfile EffectiveCaps BoundingCaps
  ExecIDs GraphDriver.Name GraphDriver.Data.MergedDir Mounts Dependencies IsInfra IsService SizeRw SizeRootFs
  Config.Hostname Config.Domainname Config.User Config.AttachStdin Config.Tty Config.OpenStdin Config.StdinOnce Config.Env Config.Cmd
  Config.Image Config.Volumes Config.WorkingDir Config.Entrypoint Config.OnBuild Config.Labels Config.Annotations Config.StopSignal
  Config.StopTimeout Config.Healthcheck Config.Shell Config.ExposedPorts Config.NetworkDisabled Config.CreateCommand Config.Umask
  Config.Timeout Config.Passwd Config.Secrets Config.Timezone Config.SystemdMode Config.HealthcheckOnFailureAction Config.sdNotifyMode
  HostConfig.Binds HostConfig.LogConfig.Type HostConfig.NetworkMode HostConfig.PortBindings HostConfig.RestartPolicy.Name
  HostConfig.AutoRemove HostConfig.VolumeDriver HostConfig.VolumesFrom HostConfig.CapAdd HostConfig.CapDrop HostConfig.Dns
  HostConfig.DnsOptions HostConfig.DnsSearch HostConfig.ExtraHosts HostConfig.GroupAdd HostConfig.IpcMode HostConfig.Cgroup
  HostConfig.CgroupnsMode HostConfig.CgroupMode HostConfig.Links HostConfig.OomScoreAdj HostConfig.PidMode HostConfig.Privileged
  HostConfig.PublishAllPorts HostConfig.ReadonlyRootfs HostConfig.SecurityOpt HostConfig.StorageOpt HostConfig.Tmpfs HostConfig.UTSMode
  HostConfig.UsernsMode HostConfig.ShmSize HostConfig.Sysctls HostConfig.Runtime HostConfig.Isolation HostConfig.CpuShares
  HostConfig.Memory HostConfig.NanoCpus HostConfig.CgroupParent HostConfig.BlkioWeight HostConfig.CpuPeriod HostConfig.CpuQuota
  HostConfig.CpusetCpus HostConfig.CpusetMems HostConfig.Devices HostConfig.DeviceRequests HostConfig.MemoryReservation
  HostConfig.MemorySwap HostConfig.MemorySwappiness HostConfig.OomKillDisable HostConfig.PidsLimit HostConfig.Ulimits HostConfig.Init
  HostConfig.KernelMemory HostConfig.Mounts HostConfig.MaskedPaths HostConfig.ReadonlyPaths HostConfig.Annotations HostConfig.ConsoleSize
  NetworkSettings.Bridge NetworkSettings.SandboxID NetworkSettings.SandboxKey NetworkSettings.Ports NetworkSettings.Networks
  NetworkSettings.IPAddress NetworkSettings.Gateway NetworkSettings.MacAddress NetworkSettings.HairpinMode
  NetworkSettings.SecondaryIPAddresses NetworkSettings.EndpointID`)

const IMAGE = keys(`
  Id RepoTags RepoDigests Parent Comment Created DockerVersion Author Config.Cmd Config.Env Config.Entrypoint Config.ExposedPorts
  Config.Labels Config.User Config.Volumes Config.WorkingDir Config.StopSignal Config.Healthcheck Config.OnBuild Config.Shell Architecture
  Variant Os OsVersion Size VirtualSize GraphDriver.Name GraphDriver.Data.LowerDir RootFS.Type RootFS.Layers Metadata.LastTagTime
  Digest ManifestType History NamesHistory User Labels Annotations Version`)

const NETWORK = keys(`
  Name Id Created Scope Driver EnableIPv4 EnableIPv6 IPAM.Driver IPAM.Config Internal Attachable Ingress ConfigFrom ConfigOnly Containers
  Options Labels Subnets DNSEnabled IPv6Enabled NetworkInterface`)

const VOLUME = keys(`
  Name CreatedAt Driver Labels Mountpoint Options Scope Status UsageData Anonymous MountCount NeedsCopyUp LockNumber UID GID`)

const INFO = keys(`
  ID Containers ContainersRunning Images Driver DriverStatus Plugins MemoryLimit SwapLimit CPUShares CPUSet PidsLimit OomKillDisable
  LoggingDriver CgroupDriver CgroupVersion KernelVersion OperatingSystem OSType Architecture IndexServerAddress NCPU MemTotal
  DockerRootDir Name Labels ServerVersion Runtimes DefaultRuntime Swarm LiveRestoreEnabled SecurityOptions Warnings ClientInfo
  Host.Arch Host.CgroupManager Host.CgroupsVersion Host.CgroupControllers Host.Conmon.Path Host.CPUs Host.Distribution.Distribution
  Host.EventLogger Host.Hostname Host.IDMappings.UIDMap Host.Kernel Host.LogDriver Host.MemTotal Host.NetworkBackend
  Host.OCIRuntime.Name Host.OS Host.RemoteSocket.Path Host.Security.Rootless Host.Security.SELinuxEnabled Host.ServiceIsRemote
  Store.GraphDriverName Store.GraphOptions Store.GraphRoot Store.RunRoot Store.ImageStore.Number Store.ContainerStore.Number
  Store.VolumePath Version.Version Version.OsArch`)

const VERSION = keys(`
  Client.Version Client.APIVersion Client.ApiVersion Client.GitCommit Client.GoVersion Client.Os Client.Arch Client.BuildTime
  Client.Context Client.OsArch Server.Version Server.APIVersion Server.Os Server.Arch Server.KernelVersion Server.Experimental`)

const PS = keys(`
  ID Image Command CreatedAt RunningFor Ports State Status Size Names Labels Mounts Networks Created CreatedHuman ImageID Pid Pod PodName
  ExitCode Exited ExitedAt StartedAt Restarts IsInfra AutoRemove CIDFile Namespaces CGROUPNS IPC MNT NET PIDNS USERNS UTS ExposedPorts`)

const IMAGES = keys(`
  ID Repository Tag Digest CreatedSince CreatedAt Size Containers Created CreatedTime Names RepoTags RepoDigests ReadOnly History`)

const commands: [string[], string[]][] = [
  [["container", "inspect", "one"], CONTAINER],
  [["image", "inspect", "busybox"], IMAGE],
  [["network", "inspect", "bridge"], NETWORK],
  [["volume", "inspect", "data"], VOLUME],
  [["info"], INFO],
  [["version"], VERSION],
  [["ps", "--all"], PS],
  [["images"], IMAGES],
]

describe.each(["skiff", "docker", "podman"])("as %s", (tool) => {
  test.each(commands.map(([words, names]) => [words.join(" "), words, names] as const))(
    "%s",
    async (_, words, names) => {
      const format = names.map((name) => `{{.${name}}}`).join("|")
      const outcome = await skiff.run([...words, "--format", format], { env: { SKIFF_COMPAT: tool } })
      expect([outcome.code, outcome.stderr]).toEqual([0, ""])
    },
  )
})

test("json keeps the keys of maps at every depth", async () => {
  const config = JSON.parse(await skiff.ok("inspect", "--format", "{{json .Config}}", "one")) as { Labels: object }
  expect(config.Labels).toEqual({ a: "b" })
})

test("a template that begins by walking over the rows is given all of them, as podman's are", async () => {
  await skiff.ok("create", "--name", "two", "busybox", "true")
  expect(await skiff.ok("ps", "-a", "--format", "{{range .}}{{.Names}} {{end}}")).toBe("two one")
})

test("a table may have its own columns, with titles of either tool's fields", async () => {
  const [title] = (await skiff.ok("ps", "-a", "--format", "table {{.Names}}\t{{.Pid}}\t{{.Restarts}}")).split("\n")
  expect(title).toMatch(/^NAMES +PID +RESTARTS$/)
})

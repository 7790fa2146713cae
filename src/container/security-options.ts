/** What a container may do and have, besides docker's words: a part of `ContainerOptions`. All may be left out. */
export interface SecurityOptions {
  /** By the Container Device Interface: `nvidia.com/gpu=0`. Looked up at each start. */
  cdiDevices?: readonly string[]
  /** The image's label `io.containers.seccomp.profile` is the profile, where it has one and `securityOptions` name none. */
  seccompFromImage?: boolean
}

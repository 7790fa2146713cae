/** What a container may do and have, besides docker's words: a part of `ContainerOptions`. All may be left out. */
export interface SecurityOptions {
  /** By the Container Device Interface: `nvidia.com/gpu=0`. Looked up at each start. */
  cdiDevices?: readonly string[]
  /** The image's label `io.containers.seccomp.profile` is the profile, where it has one and `securityOptions` name none. */
  seccompFromImage?: boolean
  /** Hidden, in place of the usual ones. */
  maskedPaths?: readonly string[]
  /** Not to be written, in place of the usual ones. */
  readonlyPaths?: readonly string[]
  /** Of those that it has, the capabilities that a program of an ordinary user keeps, too. */
  ambientCapabilities?: readonly string[]
}

import type { MountAccess } from "../ownership/access.ts"

/** Why a container ended, as data: front ends make sentences of it, in the language of their reader. */
export type Ending =
  /** The program said so itself. `after`: a signal that we had sent it by then. */
  | { by: "itself"; exitCode: number; after?: SentSignal }
  /** A signal, by the exit code (128 and its number). Without `sender` it came from elsewhere: the kernel, a program, another tool. */
  | { by: "signal"; exitCode: number; signal: string; sender?: SentSignal }
  /** The kernel's OOM killer ended a process of the container's cgroup. */
  | { by: "memory"; exitCode: number; limitBytes?: number; peakBytes?: number }
  /** The program could not be run at all. */
  | { by: "fault"; exitCode: number; fault: ProgramFault }
  /** The dynamic loader said in the log what it did not find. */
  | { by: "library"; exitCode: number; library: string; neededBy?: string }
  /** A shell said in the log what it could not run: `isThere` tells 126 from 127. */
  | { by: "command"; exitCode: number; command: string; isThere: boolean; nearest?: string }
  /** It said in the log that it may not write, and is not let by the owner of a mount: `owner.uid` is absent for who is nobody inside. */
  | { by: "mount"; exitCode: number; path: string; access: MountAccess }
  /** It was never started: what the engine says of it. */
  | { by: "engine"; exitCode: number; message: string }
  /** Its time to run was over. */
  | { by: "timeout"; exitCode: number; seconds: number }
  | { by: "reboot"; exitCode: number }
  /** The monitor was killed before the container: nobody could write the exit code down. */
  | { by: "monitor"; exitCode: number }

/** A signal that somebody sent by us. */
export interface SentSignal {
  /** `SIGTERM`. */
  signal: string
  /** The account of who asked, on the host. */
  user: string
  /** When, in milliseconds. */
  at: number
}

/** What keeps a program from being run, found by looking at its file in the container's root. Paths are the container's. */
export type ProgramFault =
  | { kind: "missing"; program: string; nearest?: string }
  | { kind: "directory"; program: string }
  /** No permission bit says that anybody may execute it. */
  | { kind: "notExecutable"; program: string; mode: string }
  | { kind: "architecture"; program: string; programIs: string; hostIs: string; image?: string }
  /** Of a script's first line (`usesCrLf`: with a carriage return at its end), or of an ELF program (`PT_INTERP`). */
  | {
      kind: "interpreter"
      program: string
      interpreter: string
      of: "script" | "elf"
      usesCrLf?: boolean
      /** The C library that the program was built for, and the one that the image has. */
      builtFor?: CLibrary
      imageHas?: CLibrary
    }
  /** Neither a program nor a script with a first line that names its interpreter. */
  | { kind: "format"; program: string }

/** The two C libraries of images. */
export type CLibrary = "glibc" | "musl"

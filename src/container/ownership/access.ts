/** Whose the files of a mount are, and whether the program may write to them. Ids are the container's, `hostUid` the host's. */
export interface MountAccess {
  target: string
  /** Host path. */
  source: string
  isReadOnly: boolean
  mode: number
  /** Without `uid` or `gid`: one who is nobody in the container. */
  owner: { uid?: number; gid?: number; hostUid: number }
  program: { uid: number; gid: number; hostUid: number }
  canWrite: boolean
}

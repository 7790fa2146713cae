import type { Builds } from "../build/build.ts"
import type { Containers } from "../container/container.ts"
import type { Events } from "../event/event.ts"
import type { Images } from "../image/image.ts"
import type { RemoteDeps } from "./load/remote/remote-files.ts"
import type { Networks } from "../network/network.ts"
import type { Secrets } from "../secret/secret.ts"
import type { FileLocks } from "../sys/fs/file-locks.ts"
import type { Volumes } from "../volume/volume.ts"

/** What compose stands on; `engine/` gives it. Each is opened when first asked for. */
export interface ComposeDeps extends RemoteDeps {
  locks: FileLocks
  containers(): Promise<Containers>
  images(): Promise<Images>
  networks(): Promise<Networks>
  volumes(): Promise<Volumes>
  secrets(): Promise<Secrets>
  builds(): Promise<Builds>
  events(): Promise<Events>
}

import { afterAll } from "bun:test"
import { Database } from "../../base/database.ts"
import { tempDirectory } from "../../../test/support/temp-directory.ts"
import { KubeClient } from "../client/kube-client.ts"
import { localTransport } from "../client/local-transport.ts"
import type { KubeObjects } from "../objects/objects.ts"
import { openObjects } from "../objects/open.ts"
import { kubeSchema } from "../objects/schema.ts"
import type { HookNetwork } from "./admission/webhooks/call.ts"
import { admit } from "./admission/admit.ts"
import type { ApiRequest, ApiResponse, KubeApi } from "./api.ts"
import { OWNER } from "./api.ts"
import { openKubeApi, type OpenDeps } from "./open.ts"

/** An API over a store of its own, as an engine opens it. */
export interface TestApi {
  api: KubeApi
  objects: KubeObjects
  client: KubeClient
  /** A request as the owner, unless it says otherwise. */
  ask(method: ApiRequest["method"], path: string, request?: Partial<ApiRequest> | object): Promise<ApiResponse>
}

/** Makes them for one test file. `more`: what the API is handed beside its objects. */
export function testApis(network?: HookNetwork, more: Partial<OpenDeps> = {}): (network?: HookNetwork) => TestApi {
  const root = tempDirectory("skiff-kube-api-")
  const opened: Database[] = []
  afterAll(() => {
    for (const db of opened) db[Symbol.dispose]()
  })
  return (hookNetwork = network) => {
    const db = new Database(`${root}/${opened.length}.db`)
    db.migrate([kubeSchema])
    opened.push(db)
    const objects: KubeObjects = openObjects({ db, root, admit: (kind, object) => admit(objects, kind, object) })
    const api = openKubeApi({ objects, transaction: (body) => db.transaction(body), hookNetwork, ...more })
    const client = new KubeClient(localTransport(api, () => objects.kinds()))
    return {
      api,
      objects,
      client,
      ask: (method, path, request = {}) => {
        const [plain = "", query = ""] = path.split("?", 2)
        return api.request({ method, path: plain, query: new URLSearchParams(query), user: OWNER, ...request })
      },
    }
  }
}

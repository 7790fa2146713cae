/** Whom the end-to-end tests run skiff as: SKIFF_TEST_USER is `root`, or `rootless` for an ordinary user. */
import { spawnSync } from "node:child_process"
import { userInfo } from "node:os"

export interface TestUser {
  rootless: boolean
  uid: number
  gid: number
  /** Words before a command that make it run as this user. */
  prefix: readonly string[]
  env: Record<string, string>
}

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

export const user: TestUser = chooseUser()

function chooseUser(): TestUser {
  const self = userInfo()
  const wanted = process.env.SKIFF_TEST_USER ?? (self.uid === 0 ? "root" : "rootless")
  if (wanted === "root") return { rootless: false, uid: 0, gid: 0, prefix: [], env: { PATH, HOME: "/root" } }
  if (self.uid !== 0) {
    const session = process.env.DBUS_SESSION_BUS_ADDRESS
    return {
      rootless: true,
      uid: self.uid,
      gid: self.gid,
      prefix: [],
      env: {
        PATH,
        HOME: self.homedir,
        XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? `/run/user/${self.uid}`,
        ...(session === undefined ? {} : { DBUS_SESSION_BUS_ADDRESS: session }),
      },
    }
  }
  // scripts/test-user.sh made it
  const name = "skiff-test"
  const [uid, gid] = ["-u", "-g"].map((flag) => Number(spawnSync("id", [flag, name]).stdout.toString()))
  if (!uid || !gid) throw new Error(`no user "${name}": run sh scripts/test-user.sh`)
  return {
    rootless: true,
    uid,
    gid,
    prefix: ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--init-groups"],
    env: { PATH, HOME: `/home/${name}`, USER: name, XDG_RUNTIME_DIR: `/run/user/${uid}` },
  }
}

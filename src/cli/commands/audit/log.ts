import type { AuditRow } from "../../../audit/audit.ts"
import { shortId } from "../../../base/short-id.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"

export default command({
  summary: "Show who changed what",
  args: [],
  flags: {
    ...LIST_FORMAT_FLAGS,
    since: flag.time("Show changes since timestamp"),
    until: flag.time("Show changes until timestamp"),
  },
  async run({ flags, engine, out }) {
    const { since, until } = flags
    const rows = (await engine.audit()).list({ since, until })
    printList(out, rows.map(listRow), flags, {
      titles: {
        Seq: "SEQ",
        Time: "TIME",
        Uid: "UID",
        LoginUid: "LOGIN UID",
        Tty: "TTY",
        Command: "COMMAND",
        Flags: "FLAGS",
        Action: "ACTION",
        Subject: "SUBJECT",
        Image: "IMAGE",
        ImageDigest: "IMAGE DIGEST",
        Result: "RESULT",
        Hash: "HASH",
      },
      table: "table {{.Seq}}\t{{.Time}}\t{{.LoginUid}}\t{{.Tty}}\t{{.Command}}\t{{.Action}}\t{{.Subject}}\t{{.Result}}",
      quiet: "{{.Hash}}",
    })
  },
})

function listRow({ seq, entry, hash }: AuditRow): object {
  const { time, uid, loginUid, tty = "", command: name, flags, action, subject, image = "", imageDigest = "" } = entry
  return {
    Seq: String(seq),
    Time: new Date(time).toISOString(),
    Uid: String(uid),
    LoginUid: loginUid === undefined ? "" : String(loginUid),
    Tty: tty,
    Command: name,
    Flags: Object.entries(flags)
      .map(([key, value]) => `--${key}=${value}`)
      .join(" "),
    Action: action,
    Subject: entry.name ?? shortId(subject),
    Image: image,
    ImageDigest: imageDigest,
    Result: entry.result,
    Hash: hash,
  }
}

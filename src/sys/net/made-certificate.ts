/**
 * A certificate for a server of this host, and the authority that it stands on, made with openssl(1) and kept in a directory: for a
 * registry of a class or a lab, where nobody else gives one.
 */
import { randomBytes, X509Certificate } from "node:crypto"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { hostname, networkInterfaces } from "node:os"
import { join } from "node:path"
import { FailedPrecondition, InvalidArgument, NotFound } from "../../base/errors.ts"
import { installCommand } from "../install-command.ts"
import { findProgram } from "../host.ts"
import { run } from "../process/process.ts"

/** PEM texts. */
export interface MadeCertificate {
  cert: string
  key: string
  /** File of the authority's certificate: who trusts it trusts the server. */
  authority: string
}

const AUTHORITY_DAYS = "3650"
/** As long as browsers take one. */
const SERVER_DAYS = "397"

/** Whom a certificate names beside this host's own names. */
export interface CertificateNames {
  /** Of the authority. Default: `registry of HOST`. */
  authority?: string
  /** Names and addresses of the server, as openssl has them: `DNS:a`, `IP:10.0.0.1`. */
  more?: readonly string[]
}

/**
 * The one in the directory, made when it is not there; signed anew, by the same authority, where it lacks a name that is asked for or ends soon. Throws NotFound
 * without openssl.
 */
export async function madeCertificate(directory: string, wanted: CertificateNames = {}): Promise<MadeCertificate> {
  const file = (name: string): string => join(directory, name)
  if (!existsSync(file("server.crt"))) await make(directory, wanted)
  else if (lacksName(file("server.crt"), wanted.more ?? [])) await sign(directory, wanted.more ?? [])
  return {
    cert: readFileSync(file("server.crt"), "utf8"),
    key: readFileSync(file("server.key"), "utf8"),
    authority: file("ca.crt"),
  }
}

const RENEWED_MS = 30 * 24 * 3600 * 1000

function lacksName(path: string, more: readonly string[]): boolean {
  const certificate = new X509Certificate(readFileSync(path))
  if (Date.parse(certificate.validTo) - Date.now() < RENEWED_MS) return true
  return more.some((one) =>
    one.startsWith("IP:")
      ? certificate.checkIP(one.slice(3)) === undefined
      : certificate.checkHost(one.slice(4)) === undefined,
  )
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"]

async function openssl(...words: string[]): Promise<void> {
  const program = findProgram("openssl")
  if (program === undefined)
    throw new NotFound("openssl, which makes certificates, is not installed", {
      hint: [`install it: ${installCommand({ debian: "openssl" })}`, "or give a certificate of your own"],
    })
  const { code, stderr } = await run([program, ...words])
  if (code !== 0) throw new FailedPrecondition(`openssl ${words[0]} failed: ${stderr.trim()}`)
}

/** Made aside and renamed: killed in between, it is made again. */
async function make(
  directory: string,
  { authority = `registry of ${hostname()}`, more = [] }: CertificateNames,
): Promise<void> {
  const aside = `${directory}.new-${process.pid}`
  mkdirSync(aside, { recursive: true, mode: 0o700 })
  try {
    const at = (name: string): string => join(aside, name)
    const files = ["-keyout", at("ca.key"), "-out", at("ca.crt"), "-subj", `/CN=${subjectValue(authority)}`]
    const use = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    await openssl("req", "-x509", ...NEW_KEY, "-days", AUTHORITY_DAYS, ...files, ...use)
    await openssl(
      "req",
      ...NEW_KEY,
      "-keyout",
      at("server.key"),
      "-out",
      at("server.csr"),
      "-subj",
      `/CN=${hostname()}`,
    )
    await sign(aside, more)
    rmSync(directory, { recursive: true, force: true })
    renameSync(aside, directory)
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}

/** The server's, by the authority in the directory. */
async function sign(directory: string, more: readonly string[]): Promise<void> {
  const at = (name: string): string => join(directory, name)
  writeFileSync(at("names"), `subjectAltName=${[...names(), ...more].join(",")}\nextendedKeyUsage=serverAuth\n`)
  const made = `${at("server.crt")}.new-${process.pid}`
  try {
    const signer = ["-CA", at("ca.crt"), "-CAkey", at("ca.key"), "-CAcreateserial"]
    const words = ["-days", SERVER_DAYS, "-extfile", at("names"), "-out", made]
    await openssl("x509", "-req", "-in", at("server.csr"), ...signer, ...words)
    renameSync(made, at("server.crt"))
  } finally {
    rmSync(made, { force: true })
  }
}

/** A certificate by which somebody is known, with its key. */
export interface ClientCertificate {
  cert: string
  key: string
}

/** Signs one by the authority in the directory: its name is the user, its organizations are the groups. Throws NotFound where there is no authority. */
export async function clientCertificate(
  directory: string,
  { name, groups, days }: { name: string; groups: readonly string[]; days: number },
): Promise<ClientCertificate> {
  mustHaveAuthority(directory)
  const aside = mkdtempSync(join(directory, ".client-"))
  try {
    const at = (file: string): string => join(aside, file)
    const subject = [...groups.map((group) => `/O=${subjectValue(group)}`), `/CN=${subjectValue(name)}`].join("")
    await openssl("req", "-utf8", ...NEW_KEY, "-keyout", at("key"), "-out", at("csr"), "-subj", subject)
    return { cert: await signClientIn(directory, aside, days), key: readFileSync(at("key"), "utf8") }
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}

function mustHaveAuthority(directory: string): void {
  if (!existsSync(join(directory, "ca.key"))) throw new NotFound("there is no authority yet that signs certificates")
}

/**
 * Signs a request that somebody else made (PKCS #10, PEM) for a client: of it the name and the key are taken, and no extension. Gives the certificate. Throws NotFound where there is no
 * authority, FailedPrecondition for what openssl does not take as one, or whose own signature is wrong.
 */
export async function signClientRequest(
  directory: string,
  request: string,
  { days }: { days: number },
): Promise<string> {
  mustHaveAuthority(directory)
  const aside = mkdtempSync(join(directory, ".client-"))
  try {
    writeFileSync(join(aside, "csr"), request)
    return await signClientIn(directory, aside, days)
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}

/** The request `csr` in `aside`, for a client. */
async function signClientIn(directory: string, aside: string, days: number): Promise<string> {
  const at = (file: string): string => join(aside, file)
  writeFileSync(at("use"), "keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n")
  const signer = ["-CA", join(directory, "ca.crt"), "-CAkey", join(directory, "ca.key"), "-set_serial", serial()]
  const words = ["-days", `${days}`, "-extfile", at("use"), "-out", at("crt")]
  await openssl("x509", "-req", "-in", at("csr"), ...signer, ...words)
  return readFileSync(at("crt"), "utf8")
}

const serial = (): string =>
  `0x${randomBytes(16)
    .toString("hex")
    .replace(/^[89a-f]/, "1")}`

/** As -subj reads it: what would begin another part of a name is escaped. Throws InvalidArgument for what is no text of one line. */
function subjectValue(text: string): string {
  if (text === "" || /\p{Cc}/u.test(text))
    throw new InvalidArgument(`"${text.slice(0, 60)}" cannot be a name in a certificate`)
  return text.replaceAll(/[\\/+]/g, "\\$&")
}

/** By which others may call this host. */
function names(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address))
  const ips = new Set(["127.0.0.1", "::1", ...addresses.filter((address) => !address.startsWith("fe80"))])
  return ["DNS:localhost", `DNS:${hostname()}`, ...[...ips].map((address) => `IP:${address}`)]
}

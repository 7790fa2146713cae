/** Sentences on why a container ended, in each language. The keys are those of `Ending`, and of what it holds. */
import type { Catalogue, Language } from "../base/messages.ts"

const en = {
  itself: "the program ended by itself with exit code {code}",
  itselfDone: "the program did what it had to do and ended with exit code 0",
  itselfAfter: "the program ended by itself with exit code {code}, after {signal} from {user}",
  signalFrom: "killed by {signal}, sent by {user} with skiff",
  signalUnknown: "killed by {signal} (exit code {code}); who sent it is not known: it was not sent with skiff",
  memory: "out of memory: the kernel killed it at its limit of {limit} (peak {peak})",
  memoryNoPeak: "out of memory: the kernel killed it at its limit of {limit}",
  memoryNoLimit: "out of memory: the kernel killed a process of it",
  memoryLater:
    "the kernel killed a process of it for lack of memory (limit {limit}); it then ended with exit code {code}",
  missing: 'there is no program "{program}" in the image',
  missingNear: 'there is no program "{program}" in the image; the nearest name is "{nearest}"',
  directory: '"{program}" is a directory, and no program',
  notExecutable: '"{program}" may not be executed: its mode is {mode}, and chmod +x is missing in the image',
  architecture: 'wrong architecture: "{program}" is for {programIs}, and this host is {hostIs}',
  architectureImage:
    'wrong architecture: the image is {image}, its "{program}" is for {programIs}, and this host is {hostIs}',
  interpreterScript: 'the interpreter "{interpreter}" of the script "{program}" is not in the image',
  interpreterCrLf:
    'the first line of the script "{program}" ends with a carriage return (Windows line ends): the kernel looks for an interpreter "{interpreter}\\r"',
  interpreterElf: 'the dynamic loader "{interpreter}" of "{program}" is not in the image',
  interpreterLibrary:
    'the dynamic loader "{interpreter}" of "{program}" is not in the image: the program was built for {builtFor}, and the image has {imageHas}',
  interpreterNoLibrary:
    'the dynamic loader "{interpreter}" of "{program}" is not in the image: the program was built for {builtFor}, and the image has no C library',
  format: '"{program}" is neither a program nor a script: it has no first line such as #!/bin/sh',
  library: 'the shared library "{library}" is not in the image (exit code {code})',
  libraryFor: 'the shared library "{library}", which "{program}" needs, is not in the image (exit code {code})',
  commandMissing: 'a shell did not find the command "{command}" (exit code {code})',
  commandMissingNear:
    'a shell did not find the command "{command}" (exit code {code}); the nearest name is "{nearest}"',
  commandForbidden: 'a shell was not allowed to run "{command}" (exit code {code})',
  mountOwner:
    'the program (uid {uid}, on the host {hostUid}) may not write to "{path}": "{source}" belongs to uid {ownerUid} (on the host {ownerHostUid}), mode {mode}; the option idmap of the mount makes it the program\'s, U gives it the files (exit code {code})',
  mountNobody:
    'the program (uid {uid}, on the host {hostUid}) may not write to "{path}": "{source}" belongs to uid {ownerHostUid} of the host, who is nobody in the container, mode {mode}; it must be given to you on the host first (exit code {code})',
  mountReadOnly: 'the program may not write to "{path}": "{target}" is mounted read-only (exit code {code})',
  engine: "it could not be started: {message}",
  timeout: "killed after the {seconds} seconds that it was given to run",
  reboot: "the host was rebooted while it ran",
  monitor: "its monitor (conmon) was killed before it: its exit code is not known",
} as const

/** What there is a sentence for. */
export type EndedKey = keyof typeof en

const fr: Catalogue<EndedKey> = {
  itself: "le programme s'est terminé de lui-même avec le code {code}",
  itselfDone: "le programme a fait son travail et s'est terminé avec le code 0",
  itselfAfter: "le programme s'est terminé de lui-même avec le code {code}, après {signal} de {user}",
  signalFrom: "tué par {signal}, envoyé par {user} avec skiff",
  signalUnknown: "tué par {signal} (code {code}) ; l'expéditeur est inconnu : le signal n'est pas venu de skiff",
  memory: "mémoire épuisée : le noyau l'a tué à sa limite de {limit} (maximum atteint : {peak})",
  memoryNoPeak: "mémoire épuisée : le noyau l'a tué à sa limite de {limit}",
  memoryNoLimit: "mémoire épuisée : le noyau a tué l'un de ses processus",
  memoryLater:
    "le noyau a tué l'un de ses processus faute de mémoire (limite {limit}) ; il s'est ensuite terminé avec le code {code}",
  missing: "il n'y a pas de programme « {program} » dans l'image",
  missingNear: "il n'y a pas de programme « {program} » dans l'image ; le nom le plus proche est « {nearest} »",
  directory: "« {program} » est un répertoire, et non un programme",
  notExecutable: "« {program} » ne peut pas être exécuté : son mode est {mode}, il manque un chmod +x dans l'image",
  architecture: "mauvaise architecture : « {program} » est fait pour {programIs}, et cet hôte est {hostIs}",
  architectureImage:
    "mauvaise architecture : l'image est {image}, son « {program} » est fait pour {programIs}, et cet hôte est {hostIs}",
  interpreterScript: "l'interpréteur « {interpreter} » du script « {program} » n'est pas dans l'image",
  interpreterCrLf:
    "la première ligne du script « {program} » finit par un retour chariot (fins de ligne de Windows) : le noyau cherche un interpréteur « {interpreter}\\r »",
  interpreterElf: "le chargeur dynamique « {interpreter} » de « {program} » n'est pas dans l'image",
  interpreterLibrary:
    "le chargeur dynamique « {interpreter} » de « {program} » n'est pas dans l'image : le programme a été compilé pour {builtFor}, et l'image contient {imageHas}",
  interpreterNoLibrary:
    "le chargeur dynamique « {interpreter} » de « {program} » n'est pas dans l'image : le programme a été compilé pour {builtFor}, et l'image n'a pas de bibliothèque C",
  format: "« {program} » n'est ni un programme ni un script : il n'a pas de première ligne telle que #!/bin/sh",
  library: "la bibliothèque partagée « {library} » n'est pas dans l'image (code {code})",
  libraryFor:
    "la bibliothèque partagée « {library} », dont « {program} » a besoin, n'est pas dans l'image (code {code})",
  commandMissing: "un shell n'a pas trouvé la commande « {command} » (code {code})",
  commandMissingNear:
    "un shell n'a pas trouvé la commande « {command} » (code {code}) ; le nom le plus proche est « {nearest} »",
  commandForbidden: "un shell n'a pas eu le droit d'exécuter « {command} » (code {code})",
  mountOwner:
    "le programme (uid {uid}, {hostUid} sur l'hôte) n'a pas le droit d'écrire dans « {path} » : « {source} » appartient à l'uid {ownerUid} ({ownerHostUid} sur l'hôte), mode {mode} ; l'option idmap du montage le fait sien, U lui donne les fichiers (code {code})",
  mountNobody:
    "le programme (uid {uid}, {hostUid} sur l'hôte) n'a pas le droit d'écrire dans « {path} » : « {source} » appartient à l'uid {ownerHostUid} de l'hôte, qui n'est personne dans le conteneur, mode {mode} ; il faut d'abord vous le donner sur l'hôte (code {code})",
  mountReadOnly:
    "le programme n'a pas le droit d'écrire dans « {path} » : « {target} » est monté en lecture seule (code {code})",
  engine: "il n'a pas pu être démarré : {message}",
  timeout: "tué après les {seconds} secondes qui lui étaient données",
  reboot: "l'hôte a redémarré pendant qu'il tournait",
  monitor: "son moniteur (conmon) a été tué avant lui : son code de fin est inconnu",
}

/** By language. */
export const ENDED_WORDS: Readonly<Record<Language, Catalogue<EndedKey>>> = { en, fr }

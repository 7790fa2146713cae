import type { glossary as en } from "../en/glossary.ts"

/** Les mots, et ce qu'ils veulent dire. `[mot]` dans un texte est une autre entrée de ce glossaire. */
export const glossary: Readonly<Record<keyof typeof en, { term: string; text: string }>> = {
  bridge: {
    term: "pont",
    text: "Un commutateur fait de logiciel : les interfaces de l'hôte qui en sont des ports se parlent comme sur un même câble. Chaque [network] de skiff en est un.",
  },
  bundle: {
    term: "bundle",
    text: "Un répertoire avec config.json et un système de fichiers racine : tout ce qu'il faut à un [runtime] OCI pour lancer un [container].",
  },
  capability: {
    term: "capacité",
    text: "Un morceau du pouvoir de root, comme changer le propriétaire de fichiers (CAP_CHOWN) ou monter (CAP_SYS_ADMIN). Un [container] en a d'ordinaire quatorze sur quarante et une.",
  },
  cgroup: {
    term: "groupe de contrôle",
    text: "Un répertoire où des processus sont comptés et limités ensemble : mémoire, processeurs, nombre de processus, disques. Ses fichiers sont faits par les [controller].",
  },
  chroot: {
    term: "chroot",
    text: "Donne à un processus un autre répertoire racine. Cela ne cache que des fichiers ; un runtime utilise pivot_root dans un nouvel espace de montage ([namespace]), dont aucun chemin ne sort.",
  },
  conmon: {
    term: "conmon",
    text: "Le [monitor] de skiff et de Podman : un petit programme en C à côté de chaque [container].",
  },
  container: {
    term: "conteneur",
    text: "Un processus, et ses enfants, avec des [namespace], un [cgroup] et des [mount] à eux et moins de droits ([capability], [seccomp]). Le noyau ne connaît pas ce mot.",
  },
  controller: {
    term: "contrôleur",
    text: "La partie du noyau qui compte et limite une chose dans un [cgroup] : memory, cpu, cpuset, pids, io.",
  },
  daemon: {
    term: "démon",
    text: "Un programme qui est toujours là. Celui de Docker fait tout le travail ; skiff n'en a pas, ses commandes travaillent elles-mêmes.",
  },
  delegation: {
    term: "délégation",
    text: "root confie un [cgroup] v2 à un utilisateur ordinaire, qui peut alors créer des groupes et fixer des limites au-dessous.",
  },
  digest: {
    term: "empreinte",
    text: "La somme de contrôle qui nomme une [layer], un [manifest] ou une [image] : sha256 et 64 chiffres hexadécimaux. La même empreinte, ce sont les mêmes octets.",
  },
  entrypoint: {
    term: "point d'entrée",
    text: "Les mots d'une [image] placés devant la commande : le programme qui tourne.",
  },
  exec: {
    term: "exec",
    text: "Un programme de plus dans un [container] qui tourne : il rejoint les [namespace] et le [cgroup] du premier processus.",
  },
  hook: { term: "hook", text: "Un programme que le [runtime] lance à un moment de la vie d'un conteneur." },
  image: {
    term: "image",
    text: "Des [layer], et une configuration qui dit ce qu'il faut lancer : on en fait autant de [container] qu'on veut. Elle ne change jamais.",
  },
  layer: {
    term: "couche",
    text: "Une archive des fichiers qu'une étape de construction a ajoutés, changés ou retirés ([whiteout]). Les couches se superposent ([overlayfs]).",
  },
  loopback: {
    term: "bouclage",
    text: "L'interface lo, 127.0.0.1 : chaque espace de réseau ([namespace]) a la sienne.",
  },
  manifest: {
    term: "manifeste",
    text: "Le document qui énumère les [layer] et la configuration d'une [image], par [digest].",
  },
  masquerade: {
    term: "masquerade",
    text: "Ce qui quitte l'hôte part au nom de l'hôte, et les réponses retrouvent leur chemin : un [container] atteint le monde sans adresse du monde.",
  },
  monitor: {
    term: "moniteur",
    text: "Le processus qui reste à côté d'un [container] : il garde sa sortie, attend sa fin. Ici c'est [conmon].",
  },
  mount: {
    term: "montage",
    text: "Un système de fichiers, ou un répertoire de celui-ci, rendu visible à un répertoire. Un espace de montage ([namespace]) a sa propre table.",
  },
  namespace: {
    term: "espace de noms",
    text: "Une vue d'une table du noyau. Il y en a huit sortes : voyez skiff explain --namespaces.",
  },
  network: {
    term: "réseau",
    text: "Un [bridge] avec une plage d'adresses ; les conteneurs qui y sont s'atteignent, et atteignent le monde par [masquerade].",
  },
  nftables: {
    term: "nftables",
    text: "Le pare-feu du noyau. skiff écrit une table par stock, une fois ; un port publié en est un élément.",
  },
  oci: {
    term: "OCI",
    text: "Open Container Initiative : les spécifications des [image], des [registry] et des [runtime] qui rendent les moteurs compatibles.",
  },
  oom: {
    term: "OOM",
    text: "Out of memory, mémoire épuisée : le noyau tue un processus, dans le [cgroup] qui dépasse sa limite ou sur tout l'hôte. Le code de fin est 137, pour SIGKILL.",
  },
  overlayfs: {
    term: "overlayfs",
    text: "Le système de fichiers qui montre plusieurs répertoires comme un seul : des [layer] dessous, en lecture seule, et un dessus qui reçoit tous les changements.",
  },
  pasta: {
    term: "pasta",
    text: "Porte les paquets d'un utilisateur ordinaire entre un espace de réseau ([namespace]) et les sockets de l'hôte, car il ne faut pour cela aucun droit de créer des [veth] sur l'hôte.",
  },
  "pause process": {
    term: "processus de pause",
    text: "Ne fait que garder ouverts des [namespace] : pour le moteur d'un utilisateur ordinaire ([rootless]), ou pour un [pod].",
  },
  pid: {
    term: "PID",
    text: "Le numéro d'un processus. Dans un [container] le premier est 1 ; dehors le même processus a un autre numéro.",
  },
  pivot_root: {
    term: "pivot_root",
    text: "Échange la racine d'un espace de montage ([namespace]) contre un autre système de fichiers ; on peut ensuite enlever l'ancienne. Plus sûr que [chroot].",
  },
  pod: {
    term: "pod",
    text: "Plusieurs [container] qui partagent les espaces ([namespace]) de réseau, d'IPC et UTS : ils s'atteignent par 127.0.0.1.",
  },
  privileged: {
    term: "privilégié",
    text: "Un [container] qui garde toutes les [capability] et tous les périphériques, sans [seccomp] ni masques : root de l'hôte, au nom près.",
  },
  registry: { term: "registre", text: "Un serveur d'[image], par HTTP. Docker Hub en est un." },
  rootless: {
    term: "rootless",
    text: "Le moteur tourne en utilisateur ordinaire, qui n'est root que dans un espace d'utilisateurs ([namespace]) à lui ([subuid]).",
  },
  runtime: {
    term: "runtime",
    text: "Le programme qui fait d'un [bundle] un [container], puis se termine : crun, runc.",
  },
  seccomp: {
    term: "seccomp",
    text: "Un filtre des [syscall] qu'un processus se met à lui-même et à ses enfants, et qu'il ne peut plus ôter.",
  },
  signal: {
    term: "signal",
    text: "Un numéro que le noyau remet à un processus : SIGTERM (15) lui demande de finir, SIGKILL (9) le tue. Un code de fin au-dessus de 128 est 128 plus ce numéro.",
  },
  subuid: {
    term: "subuid",
    text: "Une plage d'identifiants que /etc/subuid donne à un utilisateur ordinaire, pour les utilisateurs de ses conteneurs.",
  },
  syscall: {
    term: "appel système",
    text: "La seule façon pour un programme de demander quelque chose au noyau : open, mount, clone. Il y en a environ quatre cents.",
  },
  tmpfs: { term: "tmpfs", text: "Un système de fichiers en mémoire : il disparaît avec son dernier [mount]." },
  veth: {
    term: "veth",
    text: "Une paire d'interfaces virtuelles : ce qui entre par l'une sort par l'autre, dans un autre espace de réseau ([namespace]). Un bout est un port d'un [bridge].",
  },
  volume: {
    term: "volume",
    text: "Un répertoire du stock qui a un nom et survit aux [container] : on l'y monte, et il ne fait partie d'aucune [layer].",
  },
  whiteout: {
    term: "whiteout",
    text: "La marque, dans une [layer], qu'un fichier d'une couche du dessous n'existe plus.",
  },
}

import type { Page } from "../block.ts"
import type { pages as en } from "../en/pages.ts"

/** Les pages qui enseignent, en français. Chacune part de ce qui est vrai partout et en vient à cette machine. */
export const pages = {
  contents: [
    { title: "skiff explain" },
    {
      prose:
        "Un conteneur est un processus de cette machine, et rien d'autre : le noyau lui montre moins que ce qu'il y a, et lui donne moins qu'aux autres. Ces pages montrent comment, avec les valeurs de cette machine.",
    },
    {
      entries: [
        ["CONTENEUR", "tout ce dont un conteneur est fait, lu dans le noyau"],
        ["--security CONTENEUR", "ce qui l'affaiblit, avec une note et des remèdes"],
        ["--namespaces", "ce qu'un processus voit"],
        ["--cgroups", "ce qu'un processus obtient"],
        ["--architecture", "d'une commande à un processus"],
        ["--differences", "docker, podman et skiff côte à côte"],
        ["--history", "de chroot (1979) à cgroup v2"],
        ["--glossary [TERME]", "ce que veulent dire les mots"],
      ],
    },
    { prose: "Et, pendant que cela se passe :" },
    { command: "skiff run --explain --rm debian:12-slim true" },
  ],
  namespaces: [
    { title: "Les espaces de noms" },
    {
      prose:
        "Le noyau tient une table des processus, une des montages, une des interfaces réseau. Un espace de noms est une vue d'une telle table : un processus qui s'y trouve ne voit et ne nomme que ce qui appartient à la vue. Le noyau n'a pas d'objet appelé conteneur ; un processus dont les vues sont à lui, voilà ce que nous appelons ainsi.",
    },
    { heading: "Sur cette machine" },
    { prose: "Linux {kernel}, vu par {user} :" },
    { facts: "namespaces" },
    { heading: "De quoi chacun est une vue" },
    {
      entries: [
        [
          "mnt",
          "quels systèmes de fichiers sont montés où. Ce qu'on y monte ne se voit pas au dehors ; au départ c'est une copie de celui de son créateur.",
        ],
        ["uts", "le nom d'hôte et le nom de domaine NIS : deux chaînes, le plus petit de tous."],
        ["ipc", "la mémoire partagée, les sémaphores et les files de System V, et les files de messages POSIX."],
        [
          "pid",
          "les numéros des processus. Le premier a le numéro 1 : il adopte les orphelins, et quand il finit le noyau tue tous les autres. Du dehors, les mêmes processus ont d'autres numéros.",
        ],
        [
          "net",
          "les interfaces, les adresses, les routes, le pare-feu, les ports. Un nouveau n'a qu'une interface de bouclage, éteinte.",
        ],
        [
          "user",
          "les numéros des utilisateurs et des groupes, et ce que valent les capacités : on peut être root dedans et personne dehors.",
        ],
        ["cgroup", "le chemin de son propre groupe de contrôle a l'air d'être la racine."],
        [
          "time",
          "ce que disent l'horloge monotone et celle du démarrage. L'heure du jour n'en fait pas partie : elle est la même pour tous.",
        ],
      ],
    },
    { heading: "Les voir" },
    {
      prose:
        "Un espace de noms est un fichier de /proc. Deux processus le partagent quand les numéros sont les mêmes :",
    },
    { command: "ls -l /proc/self/ns" },
    { command: "lsns" },
    { heading: "En créer un" },
    {
      prose:
        "Aucun moteur de conteneurs n'est nécessaire. En root, un shell avec un nom d'hôte et des processus à lui :",
    },
    { command: "unshare --uts --pid --fork --mount-proc sh -c 'hostname mine; hostname; ps'" },
    {
      prose:
        "En utilisateur ordinaire, l'espace d'utilisateurs vient d'abord, puisque c'est à lui que les autres appartiennent :",
    },
    { command: "unshare --user --map-root-user --net ip link" },
    { heading: "Y entrer" },
    { prose: "Ce que fait exec : un nouveau processus rejoint les espaces de noms d'un autre." },
    { command: "nsenter --target PID --net --uts ip address" },
    { heading: "Quand il prend fin" },
    {
      prose:
        "Un espace de noms vit tant qu'un processus s'y trouve, ou qu'un descripteur de fichier ou un montage le garde ouvert. Aucune commande ne le supprime : quand le dernier s'en va, le noyau le reprend, avec ses montages et ses interfaces. C'est pourquoi un conteneur tué laisse si peu derrière lui.",
    },
    { heading: "Ce qui n'en a pas" },
    {
      prose:
        "Le noyau lui-même, ses modules, l'heure du jour, une bonne part de /sys, et les périphériques. C'est pourquoi les conteneurs ont aussi besoin de groupes de contrôle, de capacités, de filtres d'appels système et de chemins masqués, et pourquoi ce ne sont pas des machines virtuelles.",
    },
  ],
  cgroups: [
    { title: "Les groupes de contrôle" },
    {
      prose:
        "Les espaces de noms décident de ce qu'un processus voit ; les groupes de contrôle, de ce qu'il obtient. Un groupe de contrôle est un répertoire d'un système de fichiers particulier : mkdir en crée un, écrire un pid dans cgroup.procs y met un processus, et les enfants suivent leurs parents. Les contrôleurs comptent ce que le groupe consomme ensemble, et le tiennent à ce qui est écrit dans ses fichiers.",
    },
    { heading: "Sur cette machine" },
    {
      prose:
        "Version : {version}. Géré par : {manager}. Contrôleurs avec lesquels {user} peut fixer des limites : {usable}.",
    },
    { facts: "hierarchies" },
    { heading: "v1 et v2" },
    {
      prose:
        "v1 (2008) a une hiérarchie par contrôleur : un processus a une place dans chacune, et elles n'ont pas à s'accorder. v2 (2016) n'en a qu'une pour tous, où seules les feuilles contiennent des processus, et qu'on peut confier à un utilisateur ordinaire (délégation). Un hôte hybride a les contrôleurs en v1 et une v2 vide à côté.",
    },
    {
      entries: [
        [
          "mémoire",
          "v1 memory.limit_in_bytes, v2 memory.max. Au-delà, le noyau reprend d'abord les caches, puis tue (OOM).",
        ],
        ["swap", "v1 memory.memsw.limit_in_bytes compte les deux ensemble, v2 memory.swap.max le swap seul."],
        [
          "quota de CPU",
          "v1 cpu.cfs_quota_us sur cpu.cfs_period_us, v2 cpu.max contient les deux : 50000 100000 est un demi-processeur.",
        ],
        ["part de CPU", "v1 cpu.shares (1024), v2 cpu.weight (100) : ne compte que si les processeurs manquent."],
        ["processeurs", "cpuset.cpus et cpuset.mems dans les deux : 0-1,3."],
        ["processus", "pids.max dans les deux : ce qui arrête une bombe à fork."],
        ["disques", "v1 blkio.*, v2 io.max et io.weight."],
        ["périphériques", "v1 devices.allow, v2 un programme BPF attaché au groupe."],
      ],
    },
    { heading: "Fixer une limite à la main" },
    { prose: "En root, sur v2 :" },
    { command: "mkdir /sys/fs/cgroup/mine && echo 64M > /sys/fs/cgroup/mine/memory.max" },
    { command: "echo $$ > /sys/fs/cgroup/mine/cgroup.procs" },
    { prose: "Sur v1, le répertoire est /sys/fs/cgroup/memory/mine, et le fichier memory.limit_in_bytes." },
    { heading: "Ce que skiff en fait" },
    {
      prose:
        "Chaque conteneur a son propre groupe, sous /skiff ou, pour un utilisateur ordinaire, sous son propre service systemd. Une limite que cet hôte ne peut pas tenir est refusée avec sa raison, jamais oubliée en silence. S'il manque des contrôleurs ici, skiff doctor dit comment les obtenir.",
    },
    {
      command: "skiff run --rm --memory 64m --cpus 0.5 --pids-limit 100 debian:12-slim cat /proc/self/cgroup",
    },
  ],
  architecture: [
    { title: "D'une commande à un processus" },
    {
      picture: [
        " vous -- skiff run --------------------------------+   un processus bref",
        "            |                                      |   par commande",
        "            |  1 nom de l'image -> couches         |",
        "            |  2 une ligne de la base de données   |",
        "            |  3 overlay monté, config.json        |",
        "            v                                      |",
        "         conmon --- crun / runc                    |   reste : un conmon",
        "            |          |  4 espaces de noms,       |   par conteneur",
        "            |          |    cgroup, montages       |",
        "            |          |  5 veth, adresse, ports <-+",
        "            |          v  6 seccomp, exec",
        "            +----- votre programme                     processus 1, dedans",
      ],
    },
    {
      entries: [
        [
          "skiff",
          "lit la commande, fait son travail, se termine. Il n'y a pas de démon : rien ne tourne quand aucun conteneur ne tourne, et tuer skiff ne change rien pour un conteneur.",
        ],
        [
          "conmon",
          "reste à côté de chaque conteneur : il tient la sortie du programme et écrit le journal, attend la fin, et écrit le code de fin dans un fichier.",
        ],
        [
          "crun, runc",
          "un runtime OCI : lit config.json, crée les espaces de noms et les montages, lance le programme, se termine.",
        ],
        ["le noyau", "fait tout le reste : un conteneur continue sans aucun de ceux-là."],
      ],
    },
    { heading: "Où est la vérité" },
    {
      prose:
        "Une ligne d'une base de données dit ce qui doit survivre à un redémarrage ; le noyau dit ce qui tourne. Chaque commande compare les deux et répare ce qu'un processus tué a laissé : n'importe quel processus peut être tué entre deux lignes.",
    },
    { heading: "En utilisateur ordinaire" },
    {
      prose:
        "Sans root il y a une étape de plus, au début : un petit processus de pause garde ouvert un espace d'utilisateurs où l'utilisateur est root. skiff y entre et y fait ce que root fait au dehors. Le même code sert aux deux.",
    },
    { facts: "ids" },
    { prose: "Voyez chaque étape avec sa raison et ses commandes shell :" },
    { command: "skiff run --explain --rm debian:12-slim true" },
  ],
  differences: [
    { title: "Docker, Podman et skiff" },
    {
      prose:
        "Tous trois lancent le même genre de conteneur : les mêmes images, les mêmes runtimes, le même noyau. Ils diffèrent par qui fait le travail, et par ce qui est là quand personne ne demande rien.",
    },
    { heading: "Qui lance un conteneur" },
    {
      entries: [
        [
          "docker",
          "un client demande à un démon (dockerd) par une socket ; celui-ci demande à containerd, qui lance un shim par conteneur.",
        ],
        ["podman", "la commande elle-même ; conmon reste à côté de chaque conteneur."],
        ["skiff", "la commande elle-même ; conmon reste à côté de chaque conteneur."],
      ],
    },
    { heading: "Quand le moteur est tué ou mis à jour" },
    {
      entries: [
        ["docker", "les conteneurs finissent avec le démon, sauf si live-restore est mis."],
        ["podman", "il n'arrive rien aux conteneurs."],
        ["skiff", "il n'arrive rien aux conteneurs ; la commande suivante répare ce qui était à moitié fait."],
      ],
    },
    { heading: "Qui peut l'utiliser" },
    {
      entries: [
        [
          "docker",
          "root et le groupe docker, qui vaut root ; on peut installer un démon rootless pour chaque utilisateur.",
        ],
        ["podman", "chaque utilisateur, avec son propre stock, dans un espace d'utilisateurs."],
        ["skiff", "chaque utilisateur, avec son propre stock, dans un espace d'utilisateurs."],
      ],
    },
    { heading: "Les réseaux" },
    {
      entries: [
        [
          "docker",
          "le pont docker0, des règles iptables, un processus mandataire par port publié (sauf si on l'éteint).",
        ],
        ["podman", "netavark et aardvark-dns ; pour un utilisateur ordinaire, pasta."],
        [
          "skiff",
          "le pont skiff0 par netlink ; les ports publiés sont des éléments d'une table nftables : mille coûtent ce que coûte un seul ; pour un utilisateur ordinaire, pasta.",
        ],
      ],
    },
    { heading: "Les constructions d'images" },
    {
      entries: [
        ["docker", "BuildKit, dans le démon ou dans un conteneur."],
        ["podman", "la bibliothèque de Buildah, étape par étape."],
        [
          "skiff",
          "un graphe d'étapes comme celui de BuildKit, sans démon ; des conteneurs de travail comme ceux de Buildah.",
        ],
      ],
    },
    { heading: "Les redémarrages de la machine" },
    {
      entries: [
        ["docker", "le démon relance ce que dit la politique de chacun."],
        ["podman", "systemd le fait : podman-restart, Quadlet."],
        ["skiff", "systemd ou cron le font ; un superviseur ne tourne que tant qu'un conteneur en a besoin."],
      ],
    },
    { heading: "Les explications" },
    {
      entries: [
        ["docker", "inspect : ce qui a été demandé."],
        ["podman", "inspect : ce qui a été demandé."],
        [
          "skiff",
          "explain : ce que le noyau en a, avec la ligne de shell qui le fait, une note, et pourquoi un conteneur s'est arrêté.",
        ],
      ],
    },
    {
      prose:
        "Ce que skiff n'a pas encore, et comment les commandes s'appellent ici : docs/comparison.md, docs/from-docker.md, docs/from-podman.md.",
    },
  ],
  history: [
    { title: "De chroot à cgroup v2" },
    {
      prose:
        "Aucune invention n'a fait les conteneurs à elle seule. Les pièces sont venues l'une après l'autre, chacune pour sa propre raison.",
    },
    {
      entries: [
        [
          "1979",
          "chroot, dans Unix Version 7 : un processus reçoit un autre répertoire racine. Cela cache des fichiers et rien d'autre, et root en sort.",
        ],
        [
          "2000",
          "FreeBSD 4.0 a les jails : fichiers, processus, réseau et utilisateurs isolés ensemble. L'idée est entière, sur un autre système.",
        ],
        ["2001", "Linux-VServer, puis OpenVZ en 2005 : la même chose pour Linux, en gros correctifs hors du noyau."],
        [
          "2002",
          "Linux 2.4.19 : l'espace de montage, le premier. Personne n'en attendait d'autres, d'où le nom de son drapeau, CLONE_NEWNS.",
        ],
        ["2004", "Les Zones de Solaris."],
        [
          "2006",
          "Linux 2.6.19 : les espaces UTS et IPC. Chez Google commence le travail sur les process containers, appelés plus tard groupes de contrôle.",
        ],
        [
          "2008",
          "Linux 2.6.24 : les groupes de contrôle (v1), les espaces de PID, les espaces de réseau. LXC les assemble : les premiers conteneurs d'un Linux sans correctif.",
        ],
        [
          "2013",
          "Linux 3.8 achève les espaces d'utilisateurs : root dedans, personne dehors. En mars, Docker : des images en couches, et une commande que tout le monde comprend.",
        ],
        ["2014", "nftables (3.13) et overlayfs (3.18) entrent dans le noyau. Kubernetes est annoncé."],
        [
          "2015",
          "L'Open Container Initiative : images et runtimes deviennent une norme. runc en est le premier runtime.",
        ],
        [
          "2016",
          "Linux 4.5 : cgroup v2, une seule hiérarchie pour tous les contrôleurs. 4.6 : les espaces de cgroups.",
        ],
        ["2017", "Spécifications OCI 1.0 du runtime et de l'image. Buildah construit des images sans démon."],
        ["2018", "Podman : des conteneurs sans démon, et pour les utilisateurs ordinaires."],
        [
          "2019",
          "CVE-2019-5736 : un conteneur écrase runc sur son hôte ; depuis, les runtimes exécutent une copie d'eux-mêmes. Fedora 31 est la première à démarrer avec cgroup v2 seul.",
        ],
        ["2020", "Linux 5.6 : l'espace de temps, le dernier jusqu'ici. Docker 20.10 connaît cgroup v2."],
        [
          "2021",
          "Linux 5.11 : un utilisateur ordinaire peut monter overlayfs. 5.12 : des montages aux identifiants traduits.",
        ],
        [
          "2024",
          "CVE-2024-21626 : un descripteur de fichier oublié par runc menait aux fichiers de l'hôte. OCI image et distribution 1.1.",
        ],
        ["aujourd'hui", "Cette machine tourne sous Linux {kernel} avec cgroup {version}."],
      ],
    },
  ],
} satisfies Record<keyof typeof en, Page>

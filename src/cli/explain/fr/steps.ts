import type { Catalogue } from "../../../base/messages.ts"
import type { steps as en } from "../en/steps.ts"

/** Ce que `run --explain` dit de chaque étape : ce qui a été fait, et pourquoi. */
export const steps: Catalogue<keyof typeof en> = {
  intro:
    "Voici les étapes de ce démarrage, au fur et à mesure. Les lignes qui commencent par $ font la même chose dans un shell de root, dans l'ordre : $P est le premier processus du conteneur, et inside entre dans ses espaces de noms.",
  "root.title": "Les couches deviennent une seule arborescence",
  "root.why":
    "overlayfs montre les couches de l'image ({layers}), en lecture seule, comme un seul répertoire. Ce que le conteneur écrit va dans un répertoire à lui, {upper} : l'image reste telle quelle, et autant de conteneurs qu'on veut la partagent.",
  "files.title": "Les fichiers que seul cet hôte peut connaître",
  "files.why":
    "{names} sont écrits en dehors des couches, dans un petit système de fichiers à part, puis montés plus bas sur /etc du conteneur.",
  "cgroup.title": "Un groupe de contrôle, et ses limites",
  "cgroup.why":
    "Un cgroup compte ce que tous ses processus consomment ensemble, et les tient à ce qui est écrit dans ses fichiers. Cet hôte a les cgroups {version} ; répertoires du groupe : {count}, dont le premier est {path}.",
  "noCgroup.title": "Pas de groupe de contrôle",
  "noCgroup.why":
    "Cet utilisateur ne peut pas créer de groupes de contrôle ici (cgroup {version}) : les processus du conteneur sont comptés avec les siens, et aucune limite ne tient.",
  "namespaces.title": "Les espaces de noms : ce que le conteneur croit être seul à voir",
  "namespaces.why":
    "Un processus naît dans {count} espaces de noms nouveaux ({own}) ; il en rejoint d'autres : {joined}. Il entre d'abord dans son groupe de contrôle, puis attend : le programme vient en dernier.",
  "idMap.title": "Des identifiants à lui : un espace d'utilisateurs",
  "idMap.why":
    "root du conteneur est l'utilisateur {root} de l'hôte, et n'y est personne. Le noyau a reçu cette table (uid_map) : {lines}. Les couches sont montées avec leurs identifiants traduits de la même façon, si bien qu'aucun fichier n'a besoin d'un autre propriétaire. Un shell d'aujourd'hui ne sait pas faire cela : les lignes d'ici font le conteneur sans identifiants à lui.",
  "mounts.title": "Les systèmes de fichiers, dans le nouvel espace de montage",
  "mounts.why":
    "{count} montages que l'hôte ne voit pas : {targets}. /proc montre les processus du nouvel espace de PID, /sys les périphériques du nouvel espace de réseau.",
  "devices.title": "Les périphériques",
  "devices.why":
    "{count} sur lesquels tout programme compte, et qui ne donnent aucun pouvoir sur l'hôte : {names}. On peut créer d'autres nœuds, mais la liste de périphériques du groupe de contrôle les refuse.",
  "masks.title": "Ce qui est caché du noyau, et ce qu'on ne peut pas y écrire",
  "masks.why":
    "Une bonne part de /proc et de /sys n'a pas d'espace de noms. {masked} chemins trop bavards sont recouverts, {readonly} qui changeraient l'hôte passent en lecture seule.",
  "settings.title": "Le nom d'hôte et des réglages à lui",
  "settings.why": "L'espace UTS porte le nom {hostname} ; l'espace de réseau a ses propres réglages : {sysctls}.",
  "veth.title": "Un câble : une paire d'interfaces virtuelles",
  "veth.why":
    "Ce qui entre par {host} sur l'hôte sort par {inside} dans le conteneur. Le bout côté hôte est un port du pont {bridge}, comme sur un commutateur.",
  "address.title": "Une adresse et un chemin vers l'extérieur",
  "address.why":
    "{inside} reçoit {address}. Ce qui va ailleurs part vers {gateway}, c'est-à-dire le pont : l'hôte le transmet en son propre nom (masquerade).",
  "firewall.title": "Le gardien du pont",
  "firewall.why":
    "Un élément d'un ensemble de la table nftables {table} : par ce port du pont, seuls les paquets de {address} sont acceptés ; aucun conteneur ne peut donc parler au nom de son voisin.",
  "ports.title": "Les ports publiés",
  "ports.why":
    "{ports} : un élément d'une table de correspondance. Les règles sont les mêmes pour un conteneur et pour mille ; le noyau y cherche le port.",
  "pasta.title": "Des sockets de l'hôte au conteneur",
  "pasta.why":
    "Un utilisateur ordinaire ne peut créer aucune interface sur l'hôte. Un programme, pasta, écoute sur les ports de l'hôte comme n'importe quel programme, et porte ce qui arrive dans l'espace de réseau de l'utilisateur, où se trouve le pont. Il a été lancé pour ces ports et finit avec le conteneur ; il n'y a pas de ligne pour lui ici.",
  "hosts.title": "Le fichier hosts",
  "hosts.why": "{path} peut être écrit maintenant que l'adresse est connue.",
  "noNetwork.title": "Aucun réseau à rejoindre",
  "noNetwork.why":
    "Le conteneur n'a pas d'interface sur un pont : on n'en a pas demandé, ou il partage le réseau d'un autre.",
  "seccomp.title": "Le filtre des appels système",
  "seccomp.why":
    "{rules} règles autorisent {allowed} appels système ; pour tout autre, le noyau applique {action}. Aucun shell n'a de commande pour cela : c'est le runtime qui installe le filtre avec libseccomp, en tout dernier.",
  "noSeccomp.title": "Pas de filtre des appels système",
  "noSeccomp.why":
    "Le programme peut tenter tous les appels système du noyau (seccomp=unconfined, ou conteneur privilégié).",
  "program.title": "Le programme",
  "program.why":
    "Le processus qui attendait fait de l'arborescence sa racine (un runtime appelle pivot_root ; un shell, dont les outils sont dans l'ancienne racine, déplace la nouvelle par-dessus), garde {capabilities} capacités, devient l'utilisateur {user}, et se remplace par : {program}",
}

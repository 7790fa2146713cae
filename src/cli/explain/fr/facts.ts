import type { Catalogue } from "../../../base/messages.ts"
import type { facts as en } from "../en/facts.ts"

/** Les mots des tableaux remplis avec les valeurs de cette machine. */
export const facts: Catalogue<keyof typeof en> = {
  "namespace.there":
    "Linux {since} ({year}) ; le nôtre ici : {inode} ; en service : {count} ; au plus par utilisateur : {limit}",
  "namespace.missing": "venu avec Linux {since} ({year}) : ce noyau ne l'a pas",
  hierarchy1: "v1 : {controllers}",
  hierarchy2: "v2 : {controllers}",
  noControllers: "aucun contrôleur : elle ne fait que grouper des processus",
  "ids.root": "root a tous les identifiants de l'hôte, et n'a besoin d'aucune plage.",
  "ids.none":
    "{user} n'a pas de plage dans /etc/subuid et /etc/subgid : un conteneur n'a alors qu'un seul identifiant.",
  "ids.range": "{count} identifiants à partir de {first}",
  "ids.map": "{count} à partir de {inside} dedans = à partir de {outside} dehors",
  all: "sans limite",
  yes: "oui",
  no: "non",
  none: "aucun",
}

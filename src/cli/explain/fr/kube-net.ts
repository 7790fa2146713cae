import type { kubeNet as words } from "../en/kube-net.ts"

/** Ce qui est dit du réseau du cluster. */
export const kubeNet: Record<keyof typeof words, string> = {
  title: "Le réseau du cluster qu'est cette machine",
  none: "Il n'y a pas encore de cluster ici : son réseau est créé avec le premier Pod ou Service.",
  picture:
    "Chaque Pod a sa propre adresse sur un pont, et aucun voisin : tout ce qu'il envoie va à cet hôte, qui le route. Les Pods voient donc leurs propres adresses, même par un Service, et les règles de l'hôte voient tout.",
  pods: "adresses des Pods, sur le pont {bridge}",
  services: "adresses des Services : elles ne sont sur aucune interface, des règles les mènent plus loin",
  balanced: "adresses des répartiteurs de charge",
  resolver: "qui répond aux noms ; le port 53 est mené au port {port} de la boucle locale",
  resolverOff: "qui répond aux noms, dès qu'un Pod tourne",
  path: "D'un Service à un Pod",
  pathText:
    "Seul le premier paquet d'une connexion est examiné ; pour les autres, le suivi des connexions se souvient. Chaque étape est une recherche dans une table de correspondance de la table {table}, avec un Service ou cinq mille.",
  step1: "adresse, protocole et port demandés → le numéro du Service",
  step2: "numéro → combien de lots sont tirés : autant que d'extrémités ou, au-delà de 16, une puissance de deux",
  step3: "numéro et lot → l'adresse et le port d'un Pod : la destination devient celle-ci (DNAT)",
  step4: "un Service avec sessionAffinity : qui a déjà appelé → le même Pod, pour sa durée",
  inForce: "En vigueur",
  noServices: "Aucun Service n'a d'adresse qui mène quelque part.",
  line: "{protocol} {place} → {count} sur {lots} lots, numéro {mark}",
  lineSticky: "{protocol} {place} → {count} sur {lots} lots, numéro {mark}, les appelants restent",
  anyAddress: "port {port} de cet hôte",
  more: "et {count} de plus",
  unserved: "refusé aussitôt, car personne n'est derrière : {protocol} {place}",
  policies: "Qui peut joindre qui",
  noPolicies: "Aucune NetworkPolicy n'est en vigueur : chaque Pod joint tous les autres.",
  policyText:
    "Table {table} : {receive} adresses ne reçoivent que de certains, {send} n'envoient qu'à certains ; {known} sont connues, et personne d'autre ne passe. Une adresse va à la chaîne de sa propre combinaison de règles par une recherche ; les Pods qui viennent et partent sont des éléments, et des règles sont écrites quand une NetworkPolicy change.",
  look: "Pour voir par soi-même",
  others: "Ce que d'autres font à sa place",
  flannel:
    "Flannel (VXLAN) : chaque nœud a une plage d'adresses de Pods ; un paquet pour celle d'un autre nœud est mis dans un paquet UDP vers ce nœud par une interface du noyau, et en est sorti là-bas. 50 octets de chaque paquet vont à l'emballage. Les Services sont laissés à kube-proxy, les NetworkPolicies à personne.",
  calico:
    "Calico (BGP) : rien n'est emballé. Chaque nœud dit aux autres et aux routeurs, par le protocole de routage d'Internet, quelles adresses il a ; les Pods ont des adresses /32 et une route par leur hôte, comme ici. Les NetworkPolicies sont des règles d'iptables ou de nftables à l'interface de chaque Pod, avec des ensembles d'adresses.",
  cilium:
    "Cilium (eBPF) : des programmes aux interfaces décident à la place des règles. Des tables tiennent Services, extrémités et règles par identités, faites d'étiquettes et non d'adresses ; un Service est résolu quand un programme appelle connect(), si bien que ses paquets ne sont jamais traduits.",
  proxy:
    "kube-proxy : en mode nftables, une table de correspondance de l'adresse d'un Service à une chaîne qui lui est propre, et qui tire au sort parmi ses extrémités ; chaque changement écrit des chaînes. En mode iptables, plus ancien, un paquet passe les règles de tous les Services, l'une après l'autre.",
}

{{- define "blog.environment" -}}
- { name: WORDPRESS_TITLE, value: {{ .Values.title | quote }} }
- { name: WORDPRESS_DB_HOST, value: {{ .Release.Name }}-db }
- { name: WORDPRESS_DB_NAME, value: wordpress }
- { name: WORDPRESS_DB_USER, value: wordpress }
- name: WORDPRESS_DB_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ .Release.Name }}, key: database } }
- name: WORDPRESS_SALT
  valueFrom: { secretKeyRef: { name: {{ .Release.Name }}, key: salt } }
- name: WORDPRESS_ADMIN_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ .Release.Name }}, key: admin } }
{{- end }}

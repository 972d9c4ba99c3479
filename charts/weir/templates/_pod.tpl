{{/* Owns the common parts of all pods: user, security context, probes, and the settings of every service. */}}

{{- define "weir.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .user }}
runAsGroup: {{ .user }}
fsGroup: {{ .user }}
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "weir.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{- define "weir.podLabels" -}}
{{- with .Values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Scheduling of pods. With `nodes` they need that many nodes, as strictly as `spread` says. */}}
{{- define "weir.placement" -}}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .of.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    {{- if and $.nodes (eq . "kubernetes.io/hostname") }}
    whenUnsatisfiable: {{ $.spread }}
    {{- if eq $.spread "DoNotSchedule" }}
    minDomains: {{ $.nodes }}
    nodeTaintsPolicy: Honor
    {{- end }}
    {{- else }}
    whenUnsatisfiable: ScheduleAnyway
    {{- end }}
    labelSelector:
      matchLabels:
        {{- $.selector | nindent 8 }}
    {{- if $.hashed }}
    matchLabelKeys: [pod-template-hash]
    {{- end }}
  {{- end }}
{{- end }}

{{/* Overload never makes a pod unready: a ReplicaSet deletes unready pods first. */}}
{{- define "weir.probes" -}}
startupProbe:
  httpGet: { path: /livez, port: admin }
  periodSeconds: 1
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /livez, port: admin }
  # A pod on an overloaded node answers late. To kill it would add load.
  periodSeconds: 10
  timeoutSeconds: 10
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /readyz, port: admin }
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 3
{{- end }}

{{/* The settings that every service has. */}}
{{- define "weir.commonEnv" -}}
- name: WEIR_NATS_URL
  value: {{ include "weir.natsUrl" . | quote }}
- name: WEIR_SUBJECT_PREFIX
  value: {{ .Values.subjectPrefix | quote }}
- name: WEIR_LOG_LEVEL
  value: {{ .Values.logLevel | quote }}
- name: WEIR_ADMIN_HOST
  value: {{ ternary "::" "0.0.0.0" .Values.ipv6 | quote }}
- name: WEIR_HOST
  value: {{ ternary "::" "0.0.0.0" .Values.ipv6 | quote }}
{{- with .Values.nats.existingSecret }}
{{- range $env, $key := dict "WEIR_NATS_USER" "natsUser" "WEIR_NATS_PASSWORD" "natsPassword" "WEIR_NATS_TOKEN" "natsToken" }}
- name: {{ $env | quote }}
  valueFrom: { secretKeyRef: { name: {{ $.Values.nats.existingSecret | quote }}, key: {{ $key | quote }}, optional: true } }
{{- end }}
{{- end }}
{{- if .Values.nats.credsSecret }}
- name: WEIR_NATS_CREDS_FILE
  value: {{ printf "/etc/weir/nats/%s" .Values.nats.credsKey | quote }}
{{- end }}
{{- end }}

{{/* Further settings, by name. */}}
{{- define "weir.furtherEnv" -}}
{{- range $name, $value := . }}
- name: {{ $name | quote }}
  value: {{ include "weir.text" $value | quote }}
{{- end }}
{{- end }}

{{- define "weir.mounts" -}}
volumeMounts:
  - { name: tmp, mountPath: /tmp }
  {{- if .Values.nats.credsSecret }}
  - { name: nats-creds, mountPath: /etc/weir/nats, readOnly: true }
  {{- end }}
{{- end }}

{{- define "weir.volumes" -}}
volumes:
  - name: tmp
    emptyDir: { sizeLimit: 64Mi }
  {{- with .Values.nats.credsSecret }}
  - name: nats-creds
    secret: { secretName: {{ . | quote }} }
  {{- end }}
{{- end }}

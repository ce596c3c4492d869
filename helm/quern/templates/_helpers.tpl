{{/* Names ------------------------------------------------------------------------------------- */}}
{{- define "quern.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Up to 30 characters, for CronJobs add to it; a name that is cut has a hash of the whole. */}}
{{- define "quern.fullname" -}}
{{- $name := include "quern.name" . }}
{{- $whole := .Values.fullnameOverride }}
{{- if not $whole }}
{{- $whole = ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | replace "." "-" }}
{{- if regexMatch "^[0-9]" $whole }}{{ $whole = printf "q-%s" $whole }}{{ end }}
{{- end }}
{{- if gt (len $whole) 30 }}{{ printf "%s-%s" ($whole | trunc 21 | trimSuffix "-") ($whole | sha256sum | trunc 8) }}{{ else }}{{ $whole }}{{ end }}
{{- end }}

{{- define "quern.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "quern.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "quern.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* Labels and annotations -------------------------------------------------------------------- */}}
{{- define "quern.selectorLabels" -}}
app.kubernetes.io/name: {{ include "quern.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "quern.labels" -}}
{{- $chart := printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- $own := dict "helm.sh/chart" $chart "app.kubernetes.io/version" .Chart.AppVersion "app.kubernetes.io/managed-by" .Release.Service }}
{{- merge (include "quern.selectorLabels" . | fromYaml) $own .Values.commonLabels | toYaml }}
{{- end }}

{{/* Labels of a pod or an object: (dict "root" $ "component" c "labels" map). What the chart selects by wins. */}}
{{- define "quern.labelsOf" -}}
{{- $component := ternary (dict "app.kubernetes.io/component" .component) (dict) (not (empty .component)) }}
{{- merge $component (include "quern.labels" .root | fromYaml) (default (dict) .labels) | toYaml }}
{{- end }}

{{/* metadata of an object: (dict "root" $ "name" suffix "component" component "labels" … "annotations" …) */}}
{{- define "quern.metadata" -}}
{{- $annotations := merge (dict) (default (dict) .annotations) .root.Values.commonAnnotations -}}
name: {{ include "quern.fullname" .root }}{{ with .name }}-{{ . }}{{ end }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "quern.labelsOf" . | nindent 2 }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What runs quern --------------------------------------------------------------------------- */}}
{{/* The configuration that is mounted: what the chart knows better goes over it. */}}
{{- define "quern.config" -}}
{{- $c := deepCopy .Values.config }}
{{- $worker := dict "shutdown_grace" .Values.worker.drainTime }}
{{- $c = mergeOverwrite $c (dict "worker" $worker) }}
{{- if .Values.metrics.enabled }}
{{- $c = mergeOverwrite $c (dict "metrics" (dict "listen" (printf ":%d" (int .Values.metrics.port)))) }}
{{- end }}
{{- toYaml $c }}
{{- end }}

{{/* "90s", "2m", "1h", "1500ms" in seconds, rounded up. */}}
{{- define "quern.seconds" -}}
{{- $n := regexFind "^[0-9]+" . | trimPrefix "0" | int }}
{{- if hasSuffix "ms" . }}{{ div (add $n 999) 1000 }}
{{- else if hasSuffix "h" . }}{{ mul $n 3600 }}
{{- else if hasSuffix "m" . }}{{ mul $n 60 }}
{{- else }}{{ $n }}
{{- end }}
{{- end }}

{{- define "quern.env" -}}
- name: QUERN_CONFIG
  value: /etc/quern/quern.yaml
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "quern.secretName" -}}
{{- if .Values.existingSecret }}{{ .Values.existingSecret }}
{{- else if .Values.secret }}{{ include "quern.fullname" . }}
{{- end }}
{{- end }}

{{- define "quern.envFrom" -}}
{{- $copy := and .hook (not .root.Values.existingSecret) -}}
{{- with include "quern.secretName" .root }}
- secretRef: {name: {{ . }}{{ if $copy }}-hook{{ end }}}
{{ end }}
{{- with .root.Values.extraEnvFrom }}
{{- toYaml . }}
{{ end }}
{{- with .envFrom }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{- define "quern.volumeMounts" -}}
- {name: config, mountPath: /etc/quern, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* (dict "root" $ "hook" bool): a hook runs before the chart's own objects are there, and has copies. */}}
{{- define "quern.volumes" -}}
- name: config
  configMap: {name: {{ include "quern.fullname" .root }}{{ if .hook }}-hook{{ end }}}
- name: tmp
  emptyDir: {}
{{- with .root.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* A container: (dict "root" $ "name" name "args" list "resources" map "env" list "mounts" list) */}}
{{- define "quern.container" -}}
name: {{ .name }}
image: {{ include "quern.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
command: [{{ .command | default "quern" }}]
{{- with .args }}
args:
  {{- range . }}
  - {{ . | quote }}
  {{- end }}
{{- end }}
env:
  {{- include "quern.env" .root | nindent 2 }}
  {{- with .env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with include "quern.envFrom" . | trim }}
envFrom:
  {{- . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .root.Values.securityContext | nindent 2 }}
{{- with .resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumeMounts:
  {{- include "quern.volumeMounts" .root | nindent 2 }}
  {{- with .mounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* What all pods have: (dict "root" $ "hook" bool) */}}
{{- define "quern.podBase" -}}
serviceAccountName: {{ if and .hook .root.Values.serviceAccount.create }}default{{ else }}{{ include "quern.serviceAccountName" .root }}{{ end }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .root.Values.podSecurityContext | nindent 2 }}
{{- end }}

{{/* Where pods may run: (dict "root" $ "own" values), what is their own goes first. */}}
{{- define "quern.placement" -}}
{{- $own := default (dict) .own }}
{{- with merge (dict) (default (dict) $own.nodeSelector) .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with concat (default (list) $own.tolerations) .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* A pod that runs one command to its end:
(dict "root" $ "component" c "container" dict "volumes" list "hook" bool "restartPolicy" text) */}}
{{- define "quern.jobPod" -}}
metadata:
  {{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  labels:
    {{- include "quern.labelsOf" (dict "root" .root "component" .component) | nindent 4 }}
spec:
  restartPolicy: {{ .restartPolicy | default "OnFailure" }}
  {{- include "quern.podBase" . | nindent 2 }}
  {{- with include "quern.placement" . }}
  {{- . | nindent 2 }}
  {{- end }}
  containers:
    -
      {{- include "quern.container" (merge (dict "root" .root "hook" .hook) .container) | nindent 6 }}
  volumes:
    {{- include "quern.volumes" . | nindent 4 }}
    {{- with .volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

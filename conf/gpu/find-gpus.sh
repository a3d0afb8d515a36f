#!/bin/sh
# Prints the GPUs of this machine in the form that Spark's resource discovery reads, for example
#   {"name": "gpu", "addresses": ["0", "1"]}
# Spark runs it on workers (standalone) or in executors (YARN, Kubernetes). Addresses are the numbers of nvidia-smi; set
# CUDA_DEVICE_ORDER=PCI_BUS_ID, as the files beside this one do, so that CUDA counts in the same order. Where
# CUDA_VISIBLE_DEVICES is set, only the devices it names are printed.
#
# NVIDIA_SMI: the command to ask, nvidia-smi by default. Exit status 0, and no addresses, when there is no GPU.

if [ -n "${CUDA_VISIBLE_DEVICES:-}" ]; then
  found=$(printf '%s' "$CUDA_VISIBLE_DEVICES" | tr ',' '\n')
else
  found=$("${NVIDIA_SMI:-nvidia-smi}" --query-gpu=index --format=csv,noheader,nounits 2>/dev/null) || found=""
fi

addresses=""
for address in $found; do
  case "$address" in
    # Warnings and errors that some drivers print among the answers are left out.
    GPU-*[!A-Za-z0-9-]* | MIG-*[!A-Za-z0-9/-]*) continue ;;
    GPU-* | MIG-*) ;;
    *[!0-9]*) continue ;;
  esac
  addresses="$addresses${addresses:+, }\"$address\""
done

printf '{"name": "gpu", "addresses": [%s]}\n' "$addresses"

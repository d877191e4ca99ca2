#!/bin/sh
# cloud-init runs this; Reveille only passes it by.
echo "booted at $(date)" >>/var/log/startup.log

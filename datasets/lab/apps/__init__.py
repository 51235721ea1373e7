# SPDX-License-Identifier: Apache-2.0
"""The recipes, a family a file. core/registry.py reads all of them."""

"""pytest plugin behind `make cases`: what became of each case and each kill point that docs/guarantees.md promises."""

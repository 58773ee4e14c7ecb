"""Tests by cost: unit, integration, faults, architecture."""

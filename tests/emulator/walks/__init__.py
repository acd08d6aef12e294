"""Walks: what a careful engineer does with boto3 in the accounts, on whatever stands in for AWS."""

"""What people say of answers: judged, listed, checked again, and made use of."""

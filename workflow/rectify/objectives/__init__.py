"""What fine-tuning minimises: SFT, DFT, iw-SFT and their like, and the sum over tokens."""
